"""How a service talks to a ledger: over REST, over the ingress bus, and through the FIFO queue.

What the `ledger` command uses, and any other Python program may. Depends on `ledger.contracts`,
boto3 and botocore only; where the ledger runs, here or on AWS, is configuration.
"""
