"""Tells whoever subscribed what the ledger recorded: one SNS message per fact, filterable."""
