"""The constructs the stacks are made of, one concept each."""
