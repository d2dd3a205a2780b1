"""Where pages end, as tokens: each fits the list that it was made for, and no other."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.primitives import ID_ALPHABET
from projections.query.cursor import ACCOUNTS, PAYMENTS, SUMS, Cursors, cursor_of, place_of

WALLET = "customers:42:wallet"
FAR = 2**63 - 1
IDS = st.from_regex(f"[{ID_ALPHABET}]{{1,64}}", fullmatch=True)


GENERATIONS = st.integers(1, 2**24 - 1)


@given(IDS, GENERATIONS, st.integers(0, FAR))
def test_a_cursor_comes_back_as_the_place_it_was_made_of(
    account: str, generation: int, version: int
) -> None:
    """24 characters that need no encoding in a URL."""
    cursor = cursor_of(account, generation, version)
    assert place_of(account, cursor) == (generation, version)
    assert (len(cursor), quote(cursor, safe="")) == (24, cursor)


@given(IDS, IDS, GENERATIONS, st.integers(1, FAR))
def test_a_cursor_fits_no_other_account(
    account: str, other: str, generation: int, version: int
) -> None:
    """A token of one account is refused for another."""
    if account != other:
        with pytest.raises(ValueError, match="not a cursor"):
            place_of(other, cursor_of(account, generation, version))


@given(st.text())
def test_no_text_is_taken_for_a_cursor(text: str) -> None:
    """Anything that was not made by `cursor_of` is a ValueError, never a crash."""
    with pytest.raises(ValueError, match="not a cursor"):
        place_of(WALLET, text)


@given(GENERATIONS, st.integers(1, FAR), st.integers(0, 23), st.sampled_from("ABCxyz019-_"))
def test_a_cursor_with_a_changed_character_is_refused(
    generation: int, version: int, place: int, character: str
) -> None:
    """A typo leads nowhere, instead of to other rows."""
    cursor = cursor_of(WALLET, generation, version)
    changed = cursor[:place] + character + cursor[place + 1 :]
    if changed != cursor:
        with pytest.raises(ValueError, match="not a cursor"):
            place_of(WALLET, changed)


KINDS = st.sampled_from((ACCOUNTS, SUMS, PAYMENTS))
TEXTS = st.text(max_size=92)


@given(KINDS, TEXTS, GENERATIONS, st.binary(max_size=92))
def test_a_token_comes_back_as_what_it_was_made_of(
    kind: Cursors, scope: str, generation: int, place: bytes
) -> None:
    """Whatever its length, without a character that needs encoding in a URL."""
    token = kind.token_of(scope, generation, place)
    assert kind.place_of(scope, token) == (generation, place)
    assert quote(token, safe="") == token


@given(st.tuples(KINDS, TEXTS), st.tuples(KINDS, TEXTS), GENERATIONS, st.binary(max_size=92))
def test_a_token_fits_no_other_list_and_no_list_of_another_kind(
    made_for: tuple[Cursors, str], other: tuple[Cursors, str], generation: int, place: bytes
) -> None:
    """A page of accounts is no page of sums, and one of a path or status none of another."""
    (kind, scope), (other_kind, elsewhere) = made_for, other
    token = kind.token_of(scope, generation, place)
    if made_for != other:
        with pytest.raises(ValueError, match="not a cursor"):
            other_kind.place_of(elsewhere, token)


@given(KINDS, TEXTS, GENERATIONS, st.binary(max_size=9), st.data())
def test_a_token_with_a_changed_character_is_refused(
    kind: Cursors, scope: str, generation: int, place: bytes, data: st.DataObject
) -> None:
    """Also one of which not every bit counts."""
    token = kind.token_of(scope, generation, place)
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(
        st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop0123456789-_=")
    )
    changed = token[:at] + character + token[at + 1 :]
    if changed != token:
        with pytest.raises(ValueError, match="not a cursor"):
            kind.place_of(scope, changed)


@given(KINDS, TEXTS, st.text())
def test_no_text_at_all_is_taken_for_a_token(kind: Cursors, scope: str, text: str) -> None:
    """Anything that was not made as one is a ValueError, never a crash."""
    with pytest.raises(ValueError, match="not a cursor"):
        kind.place_of(scope, text)
