"""What the stack costs: payments through the simulated stack, counted, times a price table."""
