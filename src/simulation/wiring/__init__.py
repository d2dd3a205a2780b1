"""How the parts of the stack hang together, as the CDK app describes it and nothing else does."""
