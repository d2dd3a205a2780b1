"""What every table of a projection does with generations, whichever projection it is of."""

from __future__ import annotations

import msgspec

from projections.balances.apply import Metadata
from projections.balances.store import BalancesStore
from projections.generations import pointer as phases
from projections.generations.keys import FIRST
from projections.generations.pointer import Generations, Pointer
from projections.history.store import HistoryStore, Versions
from projections.payments.store import PaymentsStore
from tests.contract.projections.places import Place, live_store
from tests.contract.projections.test_balances_store import (
    METADATA,
    PROFILE,
    TOTALS,
    at_version,
    of,
)
from tests.contract.projections.test_history_store import rows
from tests.contract.projections.test_payments_store import HELD, created, held_at

SINCE = "2026-11-21T23:10:05.123456Z"
GENERATIONS = (FIRST, 2, 12)


def both(
    balances_place: Place[BalancesStore], history_place: Place[HistoryStore]
) -> tuple[Generations, Generations]:
    """The two shapes of tables that there are: without and with a sort key."""
    return balances_place.generations, history_place.generations


def test_a_new_table_has_the_first_generation_and_no_other(
    balances_place: Place[BalancesStore], history_place: Place[HistoryStore]
) -> None:
    """Nothing need be written for a projection that was never replayed."""
    for generations in both(balances_place, history_place):
        assert generations.pointer() == Pointer()
        assert Pointer().readable == (FIRST,)


def test_the_pointer_reads_back_as_written_through_every_phase(
    balances_place: Place[BalancesStore], history_place: Place[HistoryStore]
) -> None:
    """Each change is written whole, and the next one rests on it."""
    for generations in both(balances_place, history_place):
        for change in (phases.begun, phases.swapping, phases.swapped, phases.swept):
            known = generations.pointer()
            assert generations.replace(known, change(known, SINCE)) is True
            assert generations.pointer() == change(known, SINCE)
        assert generations.pointer() == Pointer(revision=4, live=2, newest=2, since=SINCE)


def test_a_change_that_rests_on_an_old_pointer_is_refused(
    balances_place: Place[BalancesStore], history_place: Place[HistoryStore]
) -> None:
    """Of two that change it at once, one succeeds, and the other leaves no trace."""
    for generations in both(balances_place, history_place):
        first = generations.pointer()
        theirs = phases.begun(first, "2026-11-21T00:00:00.000000Z")
        assert generations.replace(first, theirs)
        assert generations.replace(first, phases.begun(first, SINCE)) is False
        assert generations.pointer() == theirs
        aborted = phases.abandoned(theirs, SINCE)
        assert generations.replace(theirs, aborted)
        assert generations.replace(theirs, phases.swapping(theirs, SINCE)) is False
        assert generations.pointer() == aborted


def test_a_change_whose_answer_was_lost_is_known_by_what_it_wrote(
    balances_place: Place[BalancesStore], history_place: Place[HistoryStore]
) -> None:
    """The SDK tries again by itself: to find one's own change is to have made it."""
    for generations in both(balances_place, history_place):
        known = generations.pointer()
        new = phases.begun(known, SINCE)
        assert generations.replace(known, new)
        assert generations.replace(known, new) is True


def test_balances_of_one_generation_are_nobody_s_of_another(
    balances_place: Place[BalancesStore],
) -> None:
    """The same account in three generations: written, read, listed and deleted apart."""
    stores = {number: balances_place.store_of(number) for number in GENERATIONS}
    for number, store in stores.items():
        assert store.write(at_version(number + 1), PROFILE) == 2
        assert store.write(of(f"customers:42:wallet:{number}")) == 1
        assert store.write_metadata(described(number)) is True
    for number, store in stores.items():
        name = TOTALS.account
        account = store.account(name)
        assert account is not None
        assert account.totals == at_version(number + 1)
        assert store.some([name]) == {name: account}
        assert store.metadata([name]) == {name: described(number)}
        assert store.under(name, "", 10) == (f"customers:42:wallet:{number}",)
        live_store(balances_place, number)
        assert account in list(store.accounts())
        assert len(list(store.accounts())) == 2
        assert list(store.all_metadata()) == [described(number)]


def described(version: int) -> Metadata:
    """METADATA in another version."""
    return msgspec.structs.replace(METADATA, metadata_version=version)


def test_payments_of_one_generation_are_nobody_s_of_another(
    payments_place: Place[PaymentsStore],
) -> None:
    """The same payment in three generations: written, read and listed apart."""
    stores = {number: payments_place.store_of(number) for number in GENERATIONS}
    for number, store in stores.items():
        assert store.write(held_at(number)) == 2
    for number, store in stores.items():
        assert store.some([HELD.id]) == {HELD.id: held_at(number)}
        assert store.listed("held", "0", "~", 10) == (created(HELD),)
        live_store(payments_place, number)
        assert list(store.payments()) == [held_at(number)]
    pointer = payments_place.generations.pointer()
    assert sum(payments_place.generations.sweep(pointer)) == len(GENERATIONS) - 1
    for number in GENERATIONS:
        listed = payments_place.store_of(number).listed("held", "0", "~", 10)
        assert listed == ((created(HELD),) if number == 12 else ())


def test_rows_and_markers_of_one_generation_are_nobody_s_of_another(
    history_place: Place[HistoryStore],
) -> None:
    """The same account in three generations, each with other versions and another marker."""
    stores = {number: history_place.store_of(number) for number in GENERATIONS}
    for number, store in stores.items():
        assert store.write(rows("a", number, number + 20)) == {}
        assert store.raise_marker("a", number) is True
    for number, store in stores.items():
        expected = rows("a", number, number + 20)
        assert store.before("a", None, 10) == tuple(reversed(expected))
        assert list(store.rows_after("a", 0)) == expected
        assert store.versions_after("a", number, 10) == Versions((number + 20,), last=True)
        assert store.marker("a") == number
        live_store(history_place, number)
        assert sorted(store.rows(), key=lambda row: row.key) == expected


def test_what_is_swept_is_gone_and_what_is_kept_is_whole(
    balances_place: Place[BalancesStore], history_place: Place[HistoryStore]
) -> None:
    """All generations but the live one, rows and markers alike; not the pointer, and not what was
    begun later, by whoever has swept already."""
    for number in (*GENERATIONS, 13):
        for version in range(1, 28):  # more than one request deletes
            balances_place.store_of(number).write(of(f"account-{version}"))
        history_place.store_of(number).write(rows("a", *range(1, 28)))
        history_place.store_of(number).raise_marker("a", 27)
    live_store(balances_place, 12)
    live_store(history_place, 12)
    for generations in both(balances_place, history_place):
        pointer = generations.pointer()
        assert sum(generations.sweep(pointer)) > 0
        assert list(generations.sweep(pointer)) == []
        assert generations.pointer() == pointer
    for number in (FIRST, 2):
        assert balances_place.store_of(number).account("account-1") is None
        assert history_place.store_of(number).before("a", None, 1) == ()
        assert history_place.store_of(number).marker("a") == 0
    assert balances_place.store_of(13).account("account-1") is not None
    assert history_place.store_of(13).marker("a") == 27
    assert len(list(balances_place.store_of(12).accounts())) == 27
    assert len(list(history_place.store_of(12).rows())) == 27
    assert history_place.store_of(12).marker("a") == 27
