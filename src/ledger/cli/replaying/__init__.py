"""`ledger replay`: a projection rebuilt beside the live one, compared with it, and swapped in."""
