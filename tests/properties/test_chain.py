"""Properties of the hash chain: it holds for what was written, and for nothing else."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.domain.accounts import GENESIS_HASH
from ledger.domain.chain import link, seal
from ledger.domain.states import States
from tests.support.builders import STAMP, accepted, advanced, opened, opening, paying

Chain = list[tuple[bytes, bytes]]
"""An account's events: stored bytes, and the hash beside them."""

bodies = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6)
places = st.integers(0, 5)


def chained(data: list[bytes]) -> Chain:
    """The chain as the ledger writes it."""
    chain: Chain = []
    for one in data:
        chain.append((one, link(chain[-1][1] if chain else GENESIS_HASH, one)))
    return chain


def holds(chain: Chain, head: bytes) -> bool:
    """Whether every event extends the one before it, up to the hash in the account's state."""
    last = GENESIS_HASH
    for data, chain_hash in chain:
        if chain_hash != sha256(last + data).digest():
            return False
        last = chain_hash
    return last == head


@given(bodies)
def test_what_was_written_holds(data: list[bytes]) -> None:
    """The chain of untouched events holds; each hash is SHA-256, 32 bytes."""
    chain = chained(data)
    assert holds(chain, chain[-1][1])
    assert all(len(chain_hash) == 32 for _, chain_hash in chain)


@given(bodies, places, st.integers(0, 39), st.integers(1, 255))
def test_a_changed_byte_breaks_it(data: list[bytes], place: int, at: int, flip: int) -> None:
    """Any one byte of any event, changed to any other."""
    chain = chained(data)
    place %= len(chain)
    body, chain_hash = chain[place]
    at %= len(body)
    changed = body[:at] + bytes([body[at] ^ flip]) + body[at + 1 :]
    assert not holds([*chain[:place], (changed, chain_hash), *chain[place + 1 :]], chain[-1][1])


@given(bodies, places, st.integers(0, 31), st.integers(1, 255))
def test_a_changed_hash_breaks_it(data: list[bytes], place: int, at: int, flip: int) -> None:
    """Any one byte of any stored hash, changed to any other."""
    chain = chained(data)
    place %= len(chain)
    body, chain_hash = chain[place]
    changed = chain_hash[:at] + bytes([chain_hash[at] ^ flip]) + chain_hash[at + 1 :]
    assert not holds([*chain[:place], (body, changed), *chain[place + 1 :]], chain[-1][1])


@given(bodies, places)
def test_a_dropped_event_breaks_it(data: list[bytes], place: int) -> None:
    """Any one event left out, the last one too: the state knows the last hash."""
    chain = chained(data)
    place %= len(chain)
    assert not holds([*chain[:place], *chain[place + 1 :]], chain[-1][1])


@given(bodies, places, st.binary(min_size=1, max_size=40))
def test_an_inserted_event_breaks_it(data: list[bytes], place: int, body: bytes) -> None:
    """A forged event put anywhere, its own hash made to fit what is before it."""
    chain = chained(data)
    place %= len(chain) + 1
    before = chain[place - 1][1] if place else GENESIS_HASH
    assert not holds([*chain[:place], (body, link(before, body)), *chain[place:]], chain[-1][1])


@given(bodies, places, places)
def test_reordered_events_break_it(data: list[bytes], one: int, other: int) -> None:
    """Any two events that are not the same, exchanged."""
    chain = chained(data)
    one, other = one % len(chain), other % len(chain)
    assume(one != other)
    swapped = list(chain)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert not holds(swapped, chain[-1][1])


def test_an_event_extends_the_chain_of_each_account_it_touches() -> None:
    """One hash for each account, in the order of the event's accounts, each from that account's own
    last hash; an account without events starts from 32 zero bytes."""
    states = opened([opening("a", min_balance_minor=None), opening("b")])
    event = accepted(states, paying("p", ("a", "b", 5)))
    stored = seal(event, states)
    assert stored.id == "p"
    assert stored.hashes == tuple(
        sha256(states.accounts[name].hash + stored.data).digest() for name in ("a", "b")
    )
    after, _ = advanced(states, event)
    assert (after.accounts["a"].hash, after.accounts["b"].hash) == stored.hashes
    first = accepted(States(), opening("c"), STAMP)
    assert seal(first, States()).hashes == (
        sha256(bytes(32) + seal(first, States()).data).digest(),
    )
