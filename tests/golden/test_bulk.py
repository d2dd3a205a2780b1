"""Every form of bulk message that could ever be sent is still read, as it was meant.

`tests/golden/bulk` has samples. They are never edited: whoever sends such messages keeps sending
them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from ledger.contracts.commands import bulk_in, bulk_of, decode_command, encode_command
from ledger.contracts.schemas import bulk_schema, command_schemas

SAMPLES = sorted((Path(__file__).parent / "bulk").glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_and_written_as_it_was(path: Path) -> None:
    """Each of its commands is taken, and together they make the same message again."""
    body = path.read_bytes().removesuffix(b"\n")
    found = bulk_in(body)
    assert found is not None
    assert bulk_of(encode_command(decode_command(each)) for each in found) == body


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_fits_the_published_schema(path: Path) -> None:
    """What could be sent is what was promised; no other field was."""
    resources = [Resource.from_contents(schema) for schema in command_schemas().values()]
    registry: Registry = Registry().with_resources(
        [(str(resource.id()), resource) for resource in resources]
    )
    validator = Draft202012Validator(bulk_schema(), registry=registry)
    document = json.loads(path.read_bytes())
    validator.validate(document)
    assert not validator.is_valid(document | {"id": "bulk-1"})
    assert not validator.is_valid({"commands": [{"type": "money.print"}]})


def test_there_are_samples() -> None:
    """Of one command and of several."""
    assert {len(json.loads(path.read_bytes())["commands"]) for path in SAMPLES} == {1, 3}
