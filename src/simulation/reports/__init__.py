"""What a run, or many, came to: for people, as JSON, and as a history that can be followed."""
