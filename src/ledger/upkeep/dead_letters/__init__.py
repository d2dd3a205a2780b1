"""Dead letters: where they lie, what they are, and how they get back to where they came from.

A place of dead letters is a queue's dead-letter queue, the ledger bus's own, or the bucket with
what the relay could not publish. All are read, judged and emptied by the same loop, on this machine
and on AWS.
"""
