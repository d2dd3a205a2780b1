"""Measures every imitation of AWS, and writes what differs into docs/emulators.md.

`make test-oracle WRITE=1` runs it: the oracle must be running.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from tests.contract.dynamodb import places
from tests.contract.dynamodb.bench import CATALOGUE as DYNAMODB
from tests.contract.services import test_services
from tests.contract.services.bench import CATALOGUE as SERVICES
from tests.contract.services.bench import (
    EMULATOR,
    SIMULATION,
    EmulatedServices,
    Services,
    SimulatedServices,
)
from tests.support.conformance import PAGE, with_section
from tests.support.emulator import ENVIRONMENT, emulator
from tests.support.oracle import VERSION


def main() -> None:
    """Ask everything everywhere, and write the page."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        of_dynamodb = {
            place: places.answers(place, directory / place)
            for place in (places.SIMULATION, places.MOTO, places.EMULATOR, places.ORACLE)
        }
        with emulator(directory / "services") as endpoint:
            services = EmulatedServices(endpoint)
            asked: dict[str, Callable[[], Services]] = {
                EMULATOR: lambda: services,
                SIMULATION: SimulatedServices,
            }
            of_services = {
                place: {each: check.answer(place, given) for each, check in SERVICES.checks.items()}
                for place, given in asked.items()
            }
    page = PAGE.read_text(encoding="utf-8")
    page = with_section(page, "DynamoDB", f"{_measured()}\n\n{DYNAMODB.table(of_dynamodb)}")
    page = with_section(page, test_services.SECTION, SERVICES.table(of_services))
    PAGE.write_text(page, encoding="utf-8")


def _measured() -> str:
    today = dt.datetime.now(dt.UTC).date()
    return (
        f"Measured on {today:%-d %B %Y}: moto {version('moto')}, ministack {_ministack()} "
        f"(emulator), DynamoDB Local {VERSION} (oracle). `=` is AWS's own answer."
    )


def _ministack() -> str:
    [found] = ENVIRONMENT.glob("lib/python*/site-packages/ministack-*.dist-info")
    return found.name.removeprefix("ministack-").removesuffix(".dist-info")


if __name__ == "__main__":
    main()
