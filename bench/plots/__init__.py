"""The plots of docs/performance.md, drawn from bench/results, the same every time."""
