"""Commands in bulk: told from single ones, bounded, and read without looking into them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts import examples
from ledger.contracts.commands import (
    BULK_BYTES_AROUND,
    BULK_BYTES_BETWEEN,
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    COMMAND_TYPES,
    bulk_in,
    bulk_of,
    read_bulk,
)
from ledger.contracts.reasons import InvalidCommandError
from tests.properties.whole_commands import WHOLE

JSON = (b"{}", b"[]", b"7", b'"x"', b"null", b'{"type":"payment.post"}', b'{"a":{"commands":[1]}}')
WRITTEN = tuple(json.dumps(command).encode() for command in WHOLE.values())


@given(st.lists(st.sampled_from(JSON + WRITTEN), min_size=1, max_size=30))
def test_what_was_put_together_comes_apart(bodies: list[bytes]) -> None:
    """Whatever the commands are, and whatever only pretends to be one: byte for byte, in order;
    and the length of the whole is known beforehand."""
    whole = bulk_of(bodies)
    assert bulk_in(whole) == bodies
    length = BULK_BYTES_AROUND + sum(len(body) + BULK_BYTES_BETWEEN for body in bodies)
    assert len(whole) == length - BULK_BYTES_BETWEEN


@pytest.mark.parametrize(
    "form",
    [
        ' {{ "commands" : [ {0} ,\n{0}\t] }} \n',
        '{{"\\u0063ommands":[{0},{0}]}}',
        '{{"commands":[{0},{0}]}}',
    ],
)
def test_whatever_it_is_written_like_it_is_the_same(form: str) -> None:
    """Blanks anywhere, an escaped name: two commands. With the name there twice it is refused, and
    not one of the lists taken, however it is written."""
    command = '{"type":"payment.post","commands":[1],"a":"],\\"commands\\":["}'
    body = form.format(command)
    assert read_bulk(body.encode()) == [command.encode()] * 2
    for again in (',"commands":[1]}', ',"\\u0063ommands" : [1]}', f',"commands":[{command}]}}'):
        twice = body.rstrip()[:-1] + again
        with pytest.raises(InvalidCommandError):
            read_bulk(twice.encode())
        with pytest.raises(InvalidCommandError):
            read_bulk(("{" + again[1:-1] + "," + body.strip()[1:]).encode())


@pytest.mark.parametrize("name", COMMAND_TYPES)
def test_a_command_is_no_bulk_message(name: str) -> None:
    """An atomic batch has commands as well: its type tells."""
    assert bulk_in(json.dumps(examples.COMMANDS[name, 1]).encode()) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{}", b'{"type":"x","commands":[1]}'])
def test_what_has_no_commands_or_a_type_is_read_as_one_command(body: bytes) -> None:
    """Who reads that says what is wrong with it."""
    assert bulk_in(body) is None


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (b"[]", "malformed_json", ""),
        (b'{"commands":[{]}', "malformed_json", ""),
        (b'{"commands":[1],"commands":[1]}', "malformed_json", ""),
        (b'{"commands":' + b"[" * 60_000, "malformed_json", ""),
        (b"{}", "missing_field", "commands"),
        (b'{"commands":null}', "invalid_batch", "commands"),
        (b'{"commands":[]}', "invalid_batch", "commands"),
        (bulk_of([b"1"] * (BULK_COMMANDS_MAX + 1)), "invalid_batch", "commands"),
        (b'{"commands":[1],"id":"x"}', "unknown_field", "id"),
        (b'{"commands":[1],"4111 1111 1111 1111":1}', "unknown_field", "(unprintable)"),
        (b'{"commands":[1]}' + b" " * BULK_BYTES_MAX, "payload_too_large", ""),
    ],
)
def test_what_is_no_bulk_message_is_refused_as_a_whole(
    body: bytes, reason: str, field: str
) -> None:
    """For its form, its number or its length; no text of the client's is shown."""
    with pytest.raises(InvalidCommandError) as raised:
        read_bulk(body)
    (violation,) = raised.value.violations
    assert (violation.reason.code, violation.field) == (reason, field)


def test_the_most_there_may_be() -> None:
    """As many commands, and as many bytes."""
    assert len(read_bulk(bulk_of([b"1"] * BULK_COMMANDS_MAX))) == BULK_COMMANDS_MAX
    assert read_bulk(b'{"commands":[1]}'.ljust(BULK_BYTES_MAX)) == [b"1"]
