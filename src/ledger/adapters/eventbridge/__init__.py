"""The ledger's bus on EventBridge."""
