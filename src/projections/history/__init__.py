"""What happened to every account, one row per account and version."""
