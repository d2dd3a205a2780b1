"""Commands gathered into bulk messages: all of them, in order, within what services take."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.client.bulk import MESSAGE_BYTES_MAX, bulked, goes_in_bulk
from ledger.client.messages import Message
from ledger.contracts.commands import BULK_COMMANDS_MAX, BULK_DETAIL_TYPE, bulk_in


def sent(number: int, key: str = "k", padding: int = 0) -> Message:
    """A message that tells its number."""
    body = {"type": "payment.post", "id": f"p{number}", "reference": "r" * padding}
    return Message("payment.post", json.dumps(body).encode(), key)


def bodies_of(message: Message) -> list[bytes]:
    """The commands in a message."""
    if message.command_type != BULK_DETAIL_TYPE:
        return [message.body]
    found = bulk_in(message.body)
    assert found is not None
    return found


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([0, 1_000, 50_000, 70_000])), max_size=40
    )
)
def test_every_command_is_sent_once_and_those_of_a_key_in_their_order(
    shapes: list[tuple[str, int]],
) -> None:
    """In messages of one key each, which say how many they hold and are no longer than they may
    be; what is too long for a command goes as it is."""
    messages = [sent(number, key, size) for number, (key, size) in enumerate(shapes)]
    found: dict[str, list[bytes]] = defaultdict(list)
    for message in bulked(messages):
        assert message.commands == len(bodies_of(message))
        assert message.commands == 1 or len(message.body) <= MESSAGE_BYTES_MAX
        assert (message.command_type == BULK_DETAIL_TYPE) == (message.commands > 1)
        found[message.ordering_key] += bodies_of(message)
    for key in "abc":
        assert found[key] == [one.body for one in messages if one.ordering_key == key]


def test_messages_are_filled() -> None:
    """A thousand small commands take as many messages as their bytes do, and by number no more than
    a message may hold."""
    filled = list(bulked(sent(number) for number in range(1_000)))
    assert sum(one.commands for one in filled) == 1_000
    assert len(filled) == 2
    assert max(one.commands for one in filled) == BULK_COMMANDS_MAX


def test_keys_without_number_do_not_fill_the_memory() -> None:
    """What waited longest goes when there are too many open messages; none is kept back."""
    taken = 0

    def many() -> object:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield sent(number, str(number))

    first = next(iter(bulked(many())))  # type: ignore[arg-type]
    assert (first.ordering_key, taken) == ("0", 65)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"7",
        b"{}",
        b'{"type":"payment.void"}',
        b'{"type":"payment.post"},{"type":"payment.post"}',
        b'{"type":"payment.post","id":"\xff"}',
        b'{"type":"payment.post"}' + b" " * 70_000,
        b'{"type":"payment.post","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=repr,
)
def test_what_would_not_be_answered_as_by_itself_does_not_go_in_bulk(body: bytes) -> None:
    """No JSON, no object of that type, several values, too long: it would be taken for something
    else, or spoil the others."""
    assert not goes_in_bulk("payment.post", body)
    message = Message("payment.post", body, "k")
    found = list(bulked([sent(1), message, sent(2)]))
    assert [one.body for one in found] == [sent(1).body, body, sent(2).body]
