"""Every version of every event that was ever written stays readable.

`tests/golden/events` has samples as they were stored, `<type>.v<version>[.<variant>].json`. They
are never edited: an event of last year does not change either. A new version brings new files.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ledger.contracts.events import EVENT_TYPES, decode_event, encode_event
from ledger.contracts.schemas import event_schemas

SAMPLES = sorted((Path(__file__).parent / "events").glob("*.json"))


def stored(path: Path) -> bytes:
    """The sample's bytes as the store has them; the file ends with a line break besides."""
    return path.read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_and_written_again_as_it_was(path: Path) -> None:
    """Today's code reads it, loses nothing and adds nothing: the hash chain over it still holds."""
    event = decode_event(stored(path))
    assert encode_event(event) == stored(path)
    assert path.name.startswith(f"{json.loads(stored(path))['type']}.v{event.v}.")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_it_does_not_matter_what_comes_first(path: Path) -> None:
    """An event is the same whichever order its members are in, as bytes and as text."""
    members = reversed(json.loads(stored(path)).items())
    text = json.dumps(dict(members), ensure_ascii=False)
    assert decode_event(text) == decode_event(text.encode()) == decode_event(stored(path))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_fits_its_published_schema(path: Path) -> None:
    """What was written is what was promised."""
    document = json.loads(stored(path))
    schema = event_schemas()[document["type"], document["v"]]
    Draft202012Validator(schema).validate(document)


def test_every_version_of_every_event_has_a_sample() -> None:
    """And every sample is of an event that is still known."""
    sampled = {tuple(path.name.split(".")[:3]) for path in SAMPLES}
    known = {(*name.split("."), f"v{version}") for name, version in event_schemas()}
    assert sampled == known
    assert {name for name, _ in event_schemas()} == set(EVENT_TYPES)
