"""What analysts read: views of the published events, each behind its own queue, all rebuildable.

Events may come twice and in any order; every view is the same for all of that. Balances and
history never import each other; the query API stands in front of both.
"""
