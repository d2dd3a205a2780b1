"""What the API answers: statuses, and bodies as Structs, of which the OpenAPI description is made.

An answer to a command is the recorded fact, the same for its first sending and for every repeat;
only `repeat`, the status and the header `Idempotent-Replay` say which of them this one was.
"""
