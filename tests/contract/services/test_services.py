"""The emulator's other services answer as AWS's do, but where docs/emulators.md says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# Each adds its checks to the catalogue.
from tests.contract.services import deploying, functions, messages  # noqa: F401
from tests.contract.services.bench import CATALOGUE, Services
from tests.support.conformance import PAGE, section
from tests.support.emulator import emulator

SECTION = "other services"
PLACE = "emulator"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One emulator for all checks."""
    with emulator(tmp_path_factory.mktemp("emulator")) as endpoint:
        yield Services(endpoint)


@pytest.mark.emulator
@pytest.mark.parametrize("name", CATALOGUE.checks)
def test_the_answer_is_what_the_page_records(services: Services, name: str) -> None:
    """AWS's own, or the very difference that the page tells, with what it means for us."""
    recorded = CATALOGUE.recorded(section(PAGE.read_text(encoding="utf-8"), SECTION))
    assert CATALOGUE.checks[name].answer(PLACE, lambda: services) == recorded[PLACE][name]


def test_the_page_is_what_its_records_make_of_it() -> None:
    """Questions, AWS's answers and consequences on the page are those of the checks: what changes
    in a check is written by `make test-oracle WRITE=1`."""
    written = section(PAGE.read_text(encoding="utf-8"), SECTION)
    assert written == CATALOGUE.table(CATALOGUE.recorded(written))
