"""Every version of every command that could ever be sent is still read, as it was meant.

`tests/golden/commands` has samples as refusals record them, `<type>.v<version>[.<variant>].json`.
They are never edited: whoever sends a command keeps sending it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ledger.contracts.commands import (
    COMMAND_TYPES,
    COMMAND_VERSIONS,
    decode_command,
    encode_command,
)
from ledger.contracts.schemas import command_schemas

SAMPLES = sorted((Path(__file__).parent / "commands").glob("*.json"))


def sent(path: Path) -> bytes:
    """The sample's bytes; the file ends with a line break besides."""
    return path.read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_read_and_recorded_as_it_was(path: Path) -> None:
    """Today's code takes it, loses nothing and adds nothing."""
    command = decode_command(sent(path), COMMAND_TYPES)
    assert encode_command(command) == sent(path)
    assert path.name.startswith(f"{json.loads(sent(path))['type']}.v{command.v}.")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_fits_its_published_schema(path: Path) -> None:
    """What could be sent is what was promised."""
    document = json.loads(sent(path))
    schema = command_schemas()[document["type"], document["v"]]
    Draft202012Validator(schema).validate(document)


def test_every_version_of_every_command_has_a_sample() -> None:
    """And every sample is of a command that can still be sent."""
    documents = [json.loads(sent(path)) for path in SAMPLES]
    versions = {(name, version) for name, known in COMMAND_VERSIONS.items() for version in known}
    assert {(document["type"], document["v"]) for document in documents} == versions
