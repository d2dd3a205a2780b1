"""Plumbing that every handler shares: lazy building, settings, clients, queue batches, telemetry.

Depends on nothing else of ours and knows nothing of payments. Clocks, randomness and clients are
always handed in, so that a simulation can drive the handlers; the defaults for a real function
are made by the factories here, and only when a handler is called for the first time.
"""
