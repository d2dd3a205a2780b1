"""What every store of balances does, wherever it keeps them."""

from __future__ import annotations

import msgspec

from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from projections.balances.apply import Account, Profile, Totals
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


def at_version(version: int, **changes: object) -> Totals:
    """TOTALS at another version."""
    return msgspec.structs.replace(TOTALS, version=version, **changes)


def test_an_account_reads_back_as_written(balances: BalancesStore) -> None:
    """Totals and profile come back field by field, the absent limit as None."""
    assert balances.write_totals(TOTALS) is True
    assert balances.write_profile(PROFILE) is True
    assert balances.account(TOTALS.account) == Account(TOTALS, PROFILE)


def test_an_account_nobody_wrote_is_none(balances: BalancesStore) -> None:
    """An unknown account is None, and there are no accounts."""
    assert balances.account("nobody") is None
    assert list(balances.accounts()) == []


def test_totals_may_come_before_the_profile(balances: BalancesStore) -> None:
    """A payment projected before the opening shows the account without its profile."""
    balances.write_totals(TOTALS)
    assert balances.account(TOTALS.account) == Account(TOTALS, None)


def test_a_profile_alone_is_not_an_account_yet(balances: BalancesStore) -> None:
    """Until totals arrive there is nothing to show; they then complete the account."""
    assert balances.write_profile(PROFILE) is True
    assert balances.account(PROFILE.account) is None
    assert list(balances.accounts()) == []
    assert balances.write_totals(at_version(1)) is True
    assert balances.account(PROFILE.account) == Account(at_version(1), PROFILE)


def test_older_or_equal_totals_change_nothing(balances: BalancesStore) -> None:
    """Only a higher version replaces; the others are answered False and leave no trace."""
    balances.write_totals(TOTALS)
    assert balances.write_totals(TOTALS) is False
    assert balances.write_totals(at_version(1, debits_posted_minor=0, event="older")) is False
    assert balances.account(TOTALS.account) == Account(TOTALS, None)


def test_newer_totals_replace_all_of_the_older_ones(balances: BalancesStore) -> None:
    """Nothing of an older version stays: pending totals fall back to zero."""
    newer = at_version(10, debits_pending_minor=0, credits_posted_minor=90, event="payment-9")
    balances.write_totals(TOTALS)  # 10 is above 2 as a number, not as a text
    assert balances.write_totals(newer) is True
    assert balances.account(TOTALS.account) == Account(newer, None)


def test_older_or_equal_profiles_change_nothing(balances: BalancesStore) -> None:
    """The profile has a version of its own, and only a higher one replaces it."""
    newer = msgspec.structs.replace(PROFILE, profile_version=7, max_balance_minor=900)
    balances.write_totals(TOTALS)
    balances.write_profile(newer)
    assert balances.write_profile(PROFILE) is False
    assert balances.write_profile(newer) is False
    assert balances.account(TOTALS.account) == Account(TOTALS, newer)


def test_totals_and_profile_do_not_touch_each_other(balances: BalancesStore) -> None:
    """A newer profile leaves the totals as they are, and newer totals the profile."""
    unbounded = msgspec.structs.replace(
        PROFILE, profile_version=3, min_balance_minor=None, max_balance_minor=None
    )
    balances.write_profile(PROFILE)
    balances.write_totals(TOTALS)
    balances.write_profile(unbounded)
    balances.write_totals(at_version(4))
    assert balances.account(TOTALS.account) == Account(at_version(4), unbounded)


def test_the_largest_totals_are_kept_exactly(balances: BalancesStore) -> None:
    """Totals and versions up to 2^63-1 lose no digit."""
    largest = at_version(
        AMOUNT_MINOR_MAX,
        debits_posted_minor=AMOUNT_MINOR_MAX,
        credits_posted_minor=AMOUNT_MINOR_MAX - 1,
    )
    balances.write_totals(largest)
    assert balances.account(TOTALS.account) == Account(largest, None)


def test_all_accounts_are_listed_once(balances: BalancesStore) -> None:
    """A scan shows every account that has totals, with its profile if it has one."""
    names = [f"account-{number}" for number in range(30)]
    for name in names:
        balances.write_totals(msgspec.structs.replace(TOTALS, account=name))
    balances.write_profile(msgspec.structs.replace(PROFILE, account=names[0]))
    listed = list(balances.accounts())
    assert sorted(account.totals.account for account in listed) == sorted(names)
    assert [a.totals.account for a in listed if a.profile is not None] == names[:1]
