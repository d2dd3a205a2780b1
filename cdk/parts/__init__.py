"""The consumers of published events that act on them, one construct each, see `Part`."""
