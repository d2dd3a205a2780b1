"""A hot account in a model of DynamoDB: the ledger's own code on a store whose time is virtual.

What is modelled is DynamoDB: what a partition takes in a second, how long a transaction takes, and
which transactions are cancelled because others are under way. What decides, packs, retries and
remembers is the product. docs/performance.md states each assumption with its source.
"""
