"""Draws the stack from its synthesised templates: docs/stack.svg.

`templates` reads them, `model` makes nodes and arrows of them (`grants` those that IAM policies
state), `placement` and `routing` lay these out, `drawing` writes them as SVG. Every step is pure
and deterministic: the same templates give the same bytes.
"""
