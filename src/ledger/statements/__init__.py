"""Statements of accounts, from what the API answers: reconciled, then written in some format."""
