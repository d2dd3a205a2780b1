"""What the ledger costs, measured: see docs/performance.md for what came out, and how to repeat it.

Each bench is a module, run as `python -m bench.<name>`; its figures go to
`bench/results/<name>.json` (of some only with `--write`), with date, command, machine, medians and
spread. `make bench` runs those that `bench/__main__.py` names, `python -m bench.tables` writes them
into the page. None is a test: what must not grow is held by tests of counts, sizes and imports.
"""
