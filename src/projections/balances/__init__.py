"""The latest totals and profile of every account, one item each."""
