"""The ledger: payment commands in, immutable double-entry events out."""
