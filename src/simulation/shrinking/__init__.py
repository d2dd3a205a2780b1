"""From a run that failed to the smallest that still fails in the same way."""
