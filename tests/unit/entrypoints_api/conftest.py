"""What the tests of the REST edge share."""

from __future__ import annotations

import pytest

from tests.unit.entrypoints_api.driving import Api


@pytest.fixture
def api() -> Api:
    """An API with the accounts of the examples open."""
    api = Api()
    api.open_accounts()
    return api
