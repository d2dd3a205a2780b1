"""Renders what the ledger promises as documents: JSON Schemas, OpenAPI, the tables of docs/*.md.

Run as `python -m publishing` (`make docs`). No function imports it, and nothing of it is deployed.
It knows the ledger and the projections from outside, as their readers do.
"""
