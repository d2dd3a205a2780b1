"""Releases of the product side by side in one process: today's, the next, and broken ones."""
