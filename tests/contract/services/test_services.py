"""The emulator's other services, and the simulated ones, answer as AWS's do, but where
docs/emulators.md says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# Each adds its checks to the catalogue, in this order.
from tests.contract.services import (  # noqa: F401
    deploying,
    functions,
    keeping,
    messages,
    ordered,
    queues,
)
from tests.contract.services.bench import (
    CATALOGUE,
    EMULATOR,
    SIMULATION,
    EmulatedServices,
    Services,
    SimulatedServices,
)
from tests.support.conformance import PAGE, section
from tests.support.emulator import emulator

SECTION = "other services"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One emulator for all checks."""
    with emulator(tmp_path_factory.mktemp("emulator")) as endpoint:
        yield EmulatedServices(endpoint)


@pytest.mark.emulator
@pytest.mark.parametrize("name", CATALOGUE.checks)
def test_the_answer_is_what_the_page_records(services: Services, name: str) -> None:
    """AWS's own, or the very difference that the page tells, with what it means for us."""
    assert CATALOGUE.checks[name].answer(EMULATOR, lambda: services) == _recorded(EMULATOR, name)


@pytest.mark.parametrize("name", CATALOGUE.checks)
def test_the_simulation_answers_as_the_page_records(name: str) -> None:
    """AWS's own answer, or why it is not asked: nothing that is simulated differs."""
    answer = CATALOGUE.checks[name].answer(SIMULATION, SimulatedServices)
    assert answer == _recorded(SIMULATION, name)
    assert answer == CATALOGUE.checks[name].aws or SIMULATION in CATALOGUE.checks[name].unasked


def test_the_page_is_what_its_records_make_of_it() -> None:
    """Questions, AWS's answers and consequences on the page are those of the checks: what changes
    in a check is written by `make test-oracle WRITE=1`."""
    written = section(PAGE.read_text(encoding="utf-8"), SECTION)
    assert written == CATALOGUE.table(CATALOGUE.recorded(written))


def _recorded(place: str, name: str) -> str:
    page = section(PAGE.read_text(encoding="utf-8"), SECTION)
    return CATALOGUE.recorded(page)[place][name]
