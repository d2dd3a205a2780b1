"""What the clients of a simulated ledger ask of it."""
