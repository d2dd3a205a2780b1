"""The stacks, split by what may be lost: data, service, observability."""
