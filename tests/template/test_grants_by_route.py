"""docs/deploy.md says whom to let call what: of every route, and of no other."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

from tests.template.test_api import ROUTES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "deploy.md"


def test_every_route_is_for_somebody() -> None:
    """A new route has its place in the table, and no grant in the table is of no use."""
    table = PAGE.read_text(encoding="utf-8").partition("arn:aws:execute-api:")[2]
    grants = set(re.findall(r"`((?:[A-Z]+|\*)/[^`]+)`", table.partition("\n\n")[0]))
    routes = {f"{method}{path}" for method, path in ROUTES}
    lets = {grant: {route for route in routes if fnmatchcase(route, grant)} for grant in grants}
    assert routes - set().union(*lets.values()) == set()
    assert {grant for grant, found in lets.items() if not found} == set()
