"""DynamoDB as the ledger uses it: conditions, transactions, indexes, pages and limits."""
