"""Each imitation of DynamoDB answers as AWS does, but where docs/emulators.md says otherwise.

On the simulation, moto and the emulator; by `make test-oracle`, on the oracle in the place of the
emulator.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.dynamodb.bench import CATALOGUE
from tests.contract.dynamodb.places import EMULATOR, MOTO, ORACLE, SIMULATION, Place, place
from tests.support.conformance import PAGE, section
from tests.support.emulator import ENDPOINT

SECTION = "DynamoDB"
REAL = ORACLE if ENDPOINT else EMULATOR


@pytest.fixture(
    scope="module", params=[SIMULATION, MOTO, pytest.param(REAL, marks=pytest.mark.emulator)]
)
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Place]]:
    """A place by name, and how to get a bench there."""
    with place(request.param, tmp_path_factory.mktemp("place")) as bench:
        yield request.param, bench


@pytest.mark.parametrize("name", CATALOGUE.checks)
def test_the_answer_is_what_the_page_records(asked: tuple[str, Place], name: str) -> None:
    """AWS's own, or the very difference that the page tells, with what it means for us."""
    where, bench = asked
    recorded = CATALOGUE.recorded(section(PAGE.read_text(encoding="utf-8"), SECTION))
    assert CATALOGUE.checks[name].answer(where, bench) == recorded[where][name]


def test_the_page_is_what_its_records_make_of_it() -> None:
    """Questions, AWS's answers and consequences on the page are those of the checks: what changes
    in a check is written by `make test-oracle WRITE=1`."""
    written = section(PAGE.read_text(encoding="utf-8"), SECTION)
    table = CATALOGUE.table(CATALOGUE.recorded(written))
    assert written.endswith(table)
