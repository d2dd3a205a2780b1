"""Importers turn a source of payments into ordinary commands.

Each gives phases of instructions. Ids come from the source, so that a source loaded twice moves
nothing the second time. Depends on `ledger.contracts` only.
"""
