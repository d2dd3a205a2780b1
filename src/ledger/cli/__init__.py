"""The `ledger` command. The outermost layer: it may import every other."""
