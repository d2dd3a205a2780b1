"""Bench 2: the same payments, on the same engine, in one run, by ours and by others.

    python -m bench.engines [--rounds 5] [--write]

Each contestant is a program that opens accounts, makes some payments to warm up, then those that
are timed, in groups of a given size, and says what balances came of it: `ours.py` and `bare.py`
here, `eventsourcing_dynamodb.py` in the environment of requirements/bench.lock, `castore/run.mjs`
with Node. None runs while another does; the engine is `ministack` for all.
"""
