"""Signed webhooks, by the Standard Webhooks convention: what is notified, to whoever asked for it.

Three functions: one manages subscribers (REST), one finds for each notification the subscribers
that want it and makes a message for each, one delivers those messages over HTTPS.
"""
