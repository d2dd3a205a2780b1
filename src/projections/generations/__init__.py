"""Several generations of one projection side by side in its table, and which of them counts.

A replay builds a new generation beside the live one while payments flow, then swaps them. What
makes that safe is in `pointer` (the phases) and `views` (who writes and reads what in each).
"""
