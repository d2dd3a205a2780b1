"""What the ledger does with its domain and its store. Knows ports, never AWS."""
