"""The pure core: what a command does to the accounts it touches.

No clock, no randomness, no environment, no logging, no I/O: the same arguments, the same answer.
"""
