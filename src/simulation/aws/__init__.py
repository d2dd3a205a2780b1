"""AWS as its clients see it: the services that the ledger uses, simulated up to their faults."""
