"""What people do to a ledger that is in use, by whatever means they ask for it.

Dead letters are sent back, events that a projection has not seen are published again, projections
are replayed. Whoever calls has the clients, the waits and the chance, and tells what came of it.
"""
