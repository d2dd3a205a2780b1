"""What acts on published events: notifications, webhooks, fraud scoring, each behind its own queue.

Each decides in a pure function and acts in a thin handler. They see published contracts and shared
plumbing, never each other, and nothing of the ledger's inside.
"""
