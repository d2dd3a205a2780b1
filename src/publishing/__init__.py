"""Renders what the ledger promises as documents: JSON Schemas, OpenAPI, the tables of docs/*.md.

And what it is made of: the picture of the stack.

Run as `python -m publishing` (`make docs`). No function imports it, and nothing of it is deployed.
It knows the ledger and its consumers from outside, as their readers do.
"""
