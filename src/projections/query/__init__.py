"""The read-only REST API over the projections."""
