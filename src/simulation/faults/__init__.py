"""What can go wrong, how often it does, and how often it did."""
