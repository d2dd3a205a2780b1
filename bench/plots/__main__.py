"""Draws every plot of docs/performance.md: `python -m bench.plots`.

Needs matplotlib, which has an environment of its own (requirements/bench.lock).
"""

import sys

from bench.plots import end_to_end, hot, scale

for path in (*hot.draw(), *scale.draw(), *end_to_end.draw()):
    sys.stdout.write(f"docs/performance/{path.name}\n")
