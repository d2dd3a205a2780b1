"""A world in which AWS fails on purpose, to see whether the ledger keeps its promises all the same.

The real handlers run in one process, on virtual time, from one seed, against simulated AWS clients.
"""
