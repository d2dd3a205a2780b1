"""In-memory adapters: for tests, the golden check and the simulation's model. Same contract."""
