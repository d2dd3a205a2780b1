"""What every store of balances does, wherever it keeps them."""

from __future__ import annotations

import msgspec

from ledger.contracts.commands import VelocityLimit
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from projections.balances.apply import Account, Metadata, Profile, Totals
from projections.balances.rollup import page_under, roll_up
from projections.balances.store import BalancesStore

TOTALS = Totals(
    account="customers:42:wallet",
    version=2,
    account_type="liability",
    currency="EUR",
    debits_posted_minor=5,
    credits_posted_minor=9,
    debits_pending_minor=1,
    credits_pending_minor=0,
    event="payment-1",
    recorded_at="2026-11-21T23:10:05.123456Z",
    effective_at="2026-11-20T00:00:00.000000Z",
)
PROFILE = Profile(
    account=TOTALS.account,
    profile_version=1,
    account_type="liability",
    currency="EUR",
    status="open",
    min_balance_minor=-500,
    max_balance_minor=None,
    opened_at="2026-11-19T00:00:00.000000Z",
)
FULL = msgspec.structs.replace(
    PROFILE,
    profile_version=2,
    status="frozen",
    frozen="both",
    book="branch-7",
    min_balance_basis="posted",
    max_balance_basis="posted",
    velocity=(
        VelocityLimit(
            name="hourly",
            window="rolling",
            hours=6,
            direction="debits",
            currency="EUR",
            max_count=3,
        ),
    ),
)
METADATA = Metadata(
    account=TOTALS.account, metadata_version=1, metadata={"name": "Ann", "tier": ""}
)


def at_version(version: int, **changes: object) -> Totals:
    """TOTALS at another version."""
    return msgspec.structs.replace(TOTALS, version=version, **changes)


def test_an_account_reads_back_as_written(balances: BalancesStore) -> None:
    """Totals and profile come back field by field, the absent limit as None."""
    for profile in (PROFILE, FULL):
        totals = at_version(profile.profile_version + 1)
        assert balances.write(totals, profile) == 2
        assert balances.account(TOTALS.account) == Account(totals, profile)


def test_metadata_read_back_as_written(balances: BalancesStore) -> None:
    """Beside the account, which need not be there; the newest replace all of the older ones."""
    assert balances.metadata([TOTALS.account]) == {}
    assert balances.write_metadata(METADATA) is True
    assert balances.write_metadata(METADATA) is False
    assert balances.metadata([TOTALS.account, "nobody"]) == {TOTALS.account: METADATA}
    assert balances.account(TOTALS.account) is None
    newer = msgspec.structs.replace(METADATA, metadata_version=10, metadata={})
    assert balances.write_metadata(newer) is True
    assert balances.write_metadata(METADATA) is False
    assert balances.metadata([TOTALS.account]) == {TOTALS.account: newer}
    balances.write(TOTALS)
    assert list(balances.accounts()) == [Account(TOTALS, None)]
    assert list(balances.all_metadata()) == [newer]


def test_an_account_nobody_wrote_is_none(balances: BalancesStore) -> None:
    """An unknown account is None, and there are no accounts."""
    assert balances.account("nobody") is None
    assert balances.some(["nobody"]) == {}
    assert balances.some([]) == {}
    assert list(balances.accounts()) == []
    assert list(balances.all_metadata()) == []


def test_totals_may_come_before_the_profile(balances: BalancesStore) -> None:
    """A payment projected before the opening shows the account without its profile."""
    balances.write(TOTALS)
    assert balances.account(TOTALS.account) == Account(TOTALS, None)
    assert balances.write(at_version(1), PROFILE) == 1
    assert balances.account(TOTALS.account) == Account(TOTALS, PROFILE)


def test_older_or_equal_totals_change_nothing(balances: BalancesStore) -> None:
    """Only a higher version replaces; the others are answered 0 and leave no trace."""
    balances.write(TOTALS)
    assert balances.write(TOTALS) == 0
    assert balances.write(at_version(1, debits_posted_minor=0, event="older")) == 0
    assert balances.account(TOTALS.account) == Account(TOTALS, None)


def test_newer_totals_replace_all_of_the_older_ones(balances: BalancesStore) -> None:
    """Nothing of an older version stays: pending totals fall back to zero."""
    newer = at_version(10, debits_pending_minor=0, credits_posted_minor=90, event="payment-9")
    balances.write(TOTALS)  # 10 is above 2 as a number, not as a text
    assert balances.write(newer) == 1
    assert balances.account(TOTALS.account) == Account(newer, None)


def test_older_or_equal_profiles_change_nothing(balances: BalancesStore) -> None:
    """The profile has a version of its own, and only a higher one replaces it."""
    newer = msgspec.structs.replace(PROFILE, profile_version=7, max_balance_minor=900)
    balances.write(TOTALS, newer)
    assert balances.write(TOTALS, PROFILE) == 0
    assert balances.write(TOTALS, newer) == 0
    assert balances.account(TOTALS.account) == Account(TOTALS, newer)


def test_of_totals_and_profile_each_is_written_if_it_is_newer(balances: BalancesStore) -> None:
    """Whichever of the two is older stays as it is, and keeps the other from nothing."""
    balances.write(TOTALS, PROFILE)
    assert balances.write(at_version(1), FULL) == 1
    assert balances.account(TOTALS.account) == Account(TOTALS, FULL)
    assert balances.write(at_version(4), PROFILE) == 1
    assert balances.account(TOTALS.account) == Account(at_version(4), FULL)


def test_a_newer_profile_leaves_nothing_of_an_older_one(balances: BalancesStore) -> None:
    """Frozen sides, book, bases and limits go back to what they are by default."""
    thawed = msgspec.structs.replace(PROFILE, profile_version=3, min_balance_minor=None)
    balances.write(TOTALS, FULL)
    assert balances.write(at_version(3), thawed) == 2
    assert balances.account(TOTALS.account) == Account(at_version(3), thawed)


def test_the_largest_totals_are_kept_exactly(balances: BalancesStore) -> None:
    """Totals and versions up to 2^63-1 lose no digit."""
    largest = at_version(
        AMOUNT_MINOR_MAX,
        debits_posted_minor=AMOUNT_MINOR_MAX,
        credits_posted_minor=AMOUNT_MINOR_MAX - 1,
    )
    balances.write(largest)
    assert balances.account(TOTALS.account) == Account(largest, None)


def of(account: str) -> Totals:
    """TOTALS of another account."""
    return msgspec.structs.replace(TOTALS, account=account)


def test_all_accounts_are_listed_once(balances: BalancesStore) -> None:
    """A scan shows every account that has totals, with its profile if it has one; so does a batched
    read of more accounts than one request takes."""
    names = [f"account-{number}" for number in range(102)]
    for name in names[1:]:
        balances.write(of(name))
    balances.write(of(names[0]), msgspec.structs.replace(PROFILE, account=names[0]))
    listed = list(balances.accounts())
    assert sorted(account.totals.account for account in listed) == sorted(names)
    assert [a.totals.account for a in listed if a.profile is not None] == names[:1]
    some = balances.some([*names, "nobody"])
    assert {name: account.totals for name, account in some.items()} == {
        name: of(name) for name in names
    }


#: Those under `c:1` in their order, and what lies around them.
UNDER = ["c:1:", "c:1:-", "c:1:a", "c:1:a-b", "c:1:a:x", "c:1:a:y", "c:1:ab", "c:1:b", "c:1:z:z:z"]
AROUND = ["c", "c:1", "c:1-", "c:10", "c:10:a", "c:2", "c:2:a", "d:1:a", "C:1:a"]


def test_accounts_are_listed_under_their_paths(balances: BalancesStore) -> None:
    """In text order, from any place on, and never what merely begins with the same letters."""
    for name in [*UNDER, *AROUND]:
        balances.write(of(name))
    assert balances.under("c:1", "", 50) == tuple(UNDER)
    assert balances.under("c:1", "c:1:a", 3) == ("c:1:a-b", "c:1:a:x", "c:1:a:y")
    assert balances.under("c:1", "c:1:a", 1) == ("c:1:a-b",)
    assert balances.under("c:1", "c:1:z:z:z", 50) == ()
    assert balances.under("c:1:a", "", 50) == ("c:1:a:x", "c:1:a:y")
    assert balances.under("c:1:a", "c:1:a:x", 50) == ("c:1:a:y",)
    assert balances.under("c:1:a:x", "", 50) == ()
    assert balances.under("x:y", "", 50) == ()


def test_sums_and_pages_are_of_all_accounts_under_a_path(balances: BalancesStore) -> None:
    """Whatever of them one request takes: here several, and the path itself where it is one."""
    names = [f"c:1:{number:03}" for number in range(102)]
    for name in [*names, "c:1"]:
        balances.write(of(name))
    rolled = roll_up(balances, "c:1")
    assert (rolled.accounts, rolled.more_above) == (103, None)
    assert [one.credits_posted_minor for one in rolled.sums] == [103 * 9]
    page = page_under(balances, "c:1", limit=100)
    assert [one.totals.account for one in page.accounts] == ["c:1", *names[:99]]
    rest = page_under(balances, "c:1", str(page.more_above), limit=3)
    assert [one.totals.account for one in rest.accounts] == names[99:]
    assert rest.more_above is None
