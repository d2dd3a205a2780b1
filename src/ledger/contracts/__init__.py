"""What the ledger promises to those outside it: commands, events, reasons, envelopes, schemas.

Depends on nothing else of ours, so that every projection, consumer and client can import it.
Names and shapes here reach storage or the wire: change them only by adding a version.
"""
