"""Every version of every notification that was ever sent stays readable.

`tests/golden/notifications` has samples as subscribers got them; they are never edited. The events
among them have their samples in `tests/golden/events`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ledger.contracts.notifications import BalanceAlert, decode_notification, encode_alert
from ledger.contracts.schemas import notification_schemas

SAMPLES = sorted((Path(__file__).parent / "notifications").glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_and_written_again_as_it_was(path: Path) -> None:
    """Today's code reads it, loses nothing and adds nothing."""
    body = path.read_text(encoding="utf-8").removesuffix("\n")
    alert = decode_notification(body)
    assert isinstance(alert, BalanceAlert)
    assert encode_alert(alert) == body


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_fits_its_published_schema(path: Path) -> None:
    """What was sent is what was promised."""
    document = json.loads(path.read_text(encoding="utf-8"))
    schema = notification_schemas()[document["type"], document["v"]]
    Draft202012Validator(schema).validate(document)


def test_every_version_of_every_notification_has_a_sample() -> None:
    """And every sample is of one that is still known."""
    sampled = {tuple(path.name.split(".")[:3]) for path in SAMPLES}
    assert sampled == {
        (*name.split("."), f"v{version}") for name, version in notification_schemas()
    }
