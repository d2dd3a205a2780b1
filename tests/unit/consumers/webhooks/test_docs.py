"""docs/webhooks.md says what the code does: its samples verify, its numbers and tables are ours."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.webhooks.faults import Fault
from consumers.webhooks.management import OVERLAP_SECONDS
from consumers.webhooks.posting import TOTAL_SECONDS
from consumers.webhooks.records import KEPT_SECONDS
from consumers.webhooks.requests import WebhookRequest, wanted_of
from consumers.webhooks.schedule import DELAY_SECONDS_MAX, DELAYS_SECONDS, RECEIVES_MAX
from consumers.webhooks.signatures import new_secret, signed_headers
from consumers.webhooks.subscribers import FILTER_VALUES_MAX, SUBSCRIBERS_MAX
from ledger.runtime.clock import wall_clock

PAGE = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())
SECRET, OTHER = (new_secret(bytes([byte]).__mul__) for byte in b"so")
BODY = '{"id":"é"}'
HOUR_S = 3_600

Verified = Callable[[str, dict[str, str], bytes], Any]


def samples(language: str) -> list[str]:
    """The blocks of code in a language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(text) for _, text in found]


@pytest.fixture(params=[0, 1], ids=["library", "by hand"])
def verified(request: pytest.FixtureRequest) -> Verified:
    """The function that a sample defines."""
    names: dict[str, Any] = {}
    exec(samples("python")[request.param], names)  # noqa: S102 - our own page
    found: Verified = names["verified"]
    return found


def test_the_samples_verify_what_we_sign(verified: Verified) -> None:
    """By our secret, among several signatures, and nothing that was changed or is old."""
    now = wall_clock()
    headers = dict(signed_headers("msg_1", BODY, [OTHER, SECRET], now))
    assert verified(SECRET, headers, BODY.encode()) == {"id": "é"}
    assert verified(SECRET, headers, BODY.encode() + b" ") is None
    assert verified(SECRET, headers | {"webhook-id": "msg_2"}, BODY.encode()) is None
    assert verified(new_secret(bytes), headers, BODY.encode()) is None
    old = dict(signed_headers("msg_1", BODY, [SECRET], now - 301 * 1_000_000))
    assert verified(SECRET, old, BODY.encode()) is None


def test_the_sample_subscription_is_accepted() -> None:
    """Every field of it, and all that there are."""
    [body] = [json.loads(text) for text in samples("json")]
    wanted = wanted_of({"body": json.dumps(body)})
    assert wanted.url == body["url"]
    assert set(body) == set(WebhookRequest.__struct_fields__)
    assert set(body["filters"]) == set(wanted.filters.__struct_fields__)


def test_every_reason_of_a_dead_letter_is_explained() -> None:
    """Each once, and none that there is not."""
    listed = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted([*Fault, "reason"])  # and the head of the table


def test_its_numbers_are_those_of_the_code() -> None:
    """Schedule, limits and durations."""
    steps = ["5 s", "5 min", "30 min", "2 h", "5 h", "10 h", "10 h"]
    unit = {"s": 1, "min": 60, "h": HOUR_S}
    seconds = [int(count) * unit[name] for count, name in (step.split() for step in steps)]
    assert tuple(seconds) == DELAYS_SECONDS
    assert f"{', '.join(steps[:-1])} and {steps[-1]} more" in WORDS
    assert RECEIVES_MAX == 8
    assert f"eight in {round(sum(DELAYS_SECONDS) / HOUR_S)} hours" in WORDS
    assert f"`Retry-After` is honoured, up to {DELAY_SECONDS_MAX // HOUR_S} hours" in WORDS
    assert f"**within {TOTAL_SECONDS:.0f} seconds**" in WORDS
    assert f"At most {FILTER_VALUES_MAX} values a kind and {SUBSCRIBERS_MAX} webhooks" in WORDS
    assert f"for {OVERLAP_SECONDS // HOUR_S} hours each request has two signatures" in WORDS
    assert f"for {KEPT_SECONDS // (24 * HOUR_S)} days, longer than" in WORDS
