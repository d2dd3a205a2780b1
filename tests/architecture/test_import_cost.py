"""Cold starts: what a handler's own modules add to what it imports of others.

INIT is billed and waited for. In a fresh interpreter with bytecode compiled, a handler's
third-party modules are imported first and what remains of it then: CPU time, and a ratio, so that
neither the speed of the machine nor what else it does matters.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
#: The vocabulary of 22 commands and 22 events takes some 30 ms beside the 160 to 210 of the SDK and
#: what it brings: a ratio of 1.15 to 1.25 on a quiet machine; on a busy one 1.39 was seen.
RATIO_MAX = 1.4
# The least of each is compared, as noise only ever adds; so on a quiet machine few rounds tell.
ROUNDS_MIN = 2
ROUNDS_MAX = 20
OURS = frozenset({"ledger", "projections", "consumers"})

#: What every function imports of others; botocore brings all but the first two.
THIRD_PARTY = frozenset(
    {"aws_lambda_powertools", "msgspec", "botocore", "certifi", "dateutil", "jmespath", "six"}
    | {"typing_extensions", "urllib3"}
)
#: Who signs for subscribers, by the convention's own library.
SIGNERS = dict.fromkeys(
    ("consumers.webhooks.manager", "consumers.webhooks.deliverer"), frozenset({"standardwebhooks"})
)
#: How many modules of ours each handler may import: what it has now, and room for a few.
MODULES_MAX = {
    "ledger.entrypoints.api": 127,
    "ledger.entrypoints.commands": 112,
    "ledger.entrypoints.expiry": 108,
    "ledger.entrypoints.relay": 68,
    "projections.balances.handler": 81,
    "projections.history.handler": 80,
    "projections.payments.handler": 79,
    "projections.query.handler": 97,
    "consumers.notifications.handler": 72,
    "consumers.webhooks.manager": 76,
    "consumers.webhooks.fanout": 74,
    "consumers.webhooks.deliverer": 44,
    "consumers.fraud.handler": 80,
    "consumers.fraud.reviews": 70,
}
DECIDING = ("ledger.entrypoints.api", "ledger.entrypoints.commands", "ledger.entrypoints.expiry")
DECIDES = ("ledger.adapters.dynamodb", "ledger.application.commit", "ledger.domain")

_IMPORTED = """
import json, sys
before = set(sys.modules)
import {module}
new = [name for name in sys.modules if name not in before]
print(json.dumps(new))
"""
_TIMED = """
import importlib, sys, time
module, *others = sys.argv[1:]
start = time.process_time_ns()
for name in others:
    importlib.import_module(name)
floor = time.process_time_ns()
importlib.import_module(module)
print(floor - start, time.process_time_ns() - floor)
"""


def _python(*arguments: str) -> str:
    # Not what this process has: PYTHONDONTWRITEBYTECODE would compile at every import.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)}
    answer = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout


@cache
def imports(module: str) -> list[str]:
    """The modules that importing `module` loads, in their order. To find them compiles them all."""
    imported: list[str] = json.loads(_python("-c", _IMPORTED.format(module=module)))
    return imported


def third_party_imports(module: str) -> list[str]:
    """Those that are neither ours nor Python's own."""
    foreign = OURS | sys.stdlib_module_names
    # A private module is loaded by its package: by name it may not be importable on its own.
    return [
        name
        for name in imports(module)
        if name.partition(".")[0] not in foreign
        and "._" not in name
        and not name.startswith(("__", "six.moves"))
    ]


def own_imports(module: str) -> list[str]:
    """Those of ours."""
    return [name for name in imports(module) if name.partition(".")[0] in OURS]


@pytest.mark.parametrize("module", MODULES_MAX)
def test_a_handler_adds_little_to_the_imports_of_others(module: str) -> None:
    """Importing a handler takes at most 1.4 times the CPU of its third-party imports alone."""
    others = third_party_imports(module)
    assert "botocore" in others
    floors, added, ratio = [], [], 0.0
    for done in range(1, ROUNDS_MAX + 1):
        floor, rest = map(int, _python("-c", _TIMED, module, *others).split())
        floors.append(floor)
        added.append(rest)
        ratio = 1 + min(added) / min(floors)
        if done >= ROUNDS_MIN and ratio <= RATIO_MAX:
            break
    assert ratio <= RATIO_MAX, f"{module}: {ratio:.2f} of its third-party imports"


@pytest.mark.parametrize("module", MODULES_MAX)
def test_a_handler_imports_what_it_needs_of_others_and_no_more(module: str) -> None:
    """The SDK's core with what it stands on, the logger, JSON. Not boto3, which takes a sixth of a
    start for S3 and resources; not pydantic, which the first malformed request imports."""
    packages = {name.partition(".")[0] for name in third_party_imports(module)}
    assert packages == THIRD_PARTY | SIGNERS.get(module, frozenset())


@pytest.mark.parametrize(("module", "most"), MODULES_MAX.items())
def test_a_handler_imports_what_it_needs_of_ours_and_no_more(module: str, most: int) -> None:
    """Each module of ours takes a third of a millisecond of every cold start: how many there are
    is counted, and what decides payments is imported by what decides payments."""
    own = own_imports(module)
    assert len(own) <= most
    if module not in DECIDING:
        assert not [name for name in own if name.startswith(DECIDES)]
