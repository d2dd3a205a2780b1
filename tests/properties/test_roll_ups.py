"""Sums and pages under a path are of the accounts whose ids lie under it, whatever they are."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.contracts.primitives import is_id
from projections.balances.apply import Totals
from projections.balances.memory import MemoryBalancesStore
from projections.balances.paths import bounds_under, is_listed_path, root_of
from projections.balances.rollup import page_under, roll_up

TOTALS = Totals(
    account="a",
    version=1,
    account_type="liability",
    currency="EUR",
    debits_posted_minor=0,
    credits_posted_minor=0,
    debits_pending_minor=0,
    credits_pending_minor=0,
    event="e",
    recorded_at="",
    effective_at="",
)
#: The lowest, the highest and the middle of what ids are made of.
PATHS = st.text(st.sampled_from("-.0:az"), min_size=1, max_size=7)
SOME = st.sampled_from(("a:a", "a:a:a", "a:0", "a-:a", "::", ":a:"))
MINOR = st.integers(0, 2**63 - 1)
ACCOUNTS = st.dictionaries(
    PATHS | SOME,
    st.builds(
        lambda *minor, currency, kind: replace(
            TOTALS,
            currency=currency,
            account_type=kind,
            debits_posted_minor=minor[0],
            credits_posted_minor=minor[1],
            debits_pending_minor=minor[2],
            credits_pending_minor=minor[3],
        ),
        *(MINOR,) * 4,
        currency=st.sampled_from(("EUR", "USD")),
        kind=st.sampled_from(("asset", "liability")),
    ),
    max_size=12,
)


def is_under(account: str, path: str) -> bool:
    """Whether the account is the path, or goes on behind it with another segment."""
    return account == path or account.startswith(f"{path}:")


@given(PATHS, PATHS, st.just("") | PATHS)
def test_all_under_a_path_lie_under_one_root_and_in_its_bounds(
    path: str, account: str, above: str
) -> None:
    """An id is between the bounds exactly if it is under the path and above the place; and if paths
    have two segments, it is listed with them."""
    low, high = bounds_under(path, above)
    below_it = account.startswith(f"{path}:") and account > above
    assert (low <= account <= high) == below_it
    if is_listed_path(path) and is_under(account, path):
        assert root_of(account) == root_of(path)


@given(PATHS)
def test_a_root_is_a_path_and_its_own_root(path: str) -> None:
    """The first two segments, or all there are."""
    assert is_id(root_of(path))
    assert root_of(root_of(path)) == root_of(path)
    assert is_under(path, root_of(path))
    assert root_of(path).count(":") <= 1


@given(ACCOUNTS, PATHS | SOME, st.integers(1, 5))
def test_sums_are_of_every_account_under_the_path_and_no_other(
    accounts: dict[str, Totals], path: str, at_most: int
) -> None:
    """Also when they are taken in several goes: by currency and type, each account in one of them;
    balance and available are the sums of each account's."""
    store = stored(accounts)
    wanted = {
        name: replace(totals, account=name)
        for name, totals in accounts.items()
        if is_under(name, path)
    }
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 7)
    above: str | None = ""
    while above is not None:
        rolled = roll_up(store, path, above, at_most=at_most)
        assert rolled.accounts <= at_most
        for one in rolled.sums:
            add(sums[one.currency, one.account_type], one, one.accounts)
        above = rolled.more_above
    expected: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 7)
    for totals in wanted.values():
        add(expected[totals.currency, totals.account_type], totals, 1)
    assert sums == expected
    assert roll_up(store, path).more_above is None


def add(to: list[int], figures: object, count: int) -> None:
    """Adds up what accounts and sums of them both have."""
    names = (
        *("debits_posted_minor", "credits_posted_minor"),
        *("debits_pending_minor", "credits_pending_minor"),
        *("balance_minor", "available_minor"),
    )
    values = [count, *(getattr(figures, name) for name in names)]
    to[:] = [known + value for known, value in zip(to, values, strict=True)]


@given(ACCOUNTS, PATHS | SOME, st.integers(1, 5))
def test_pages_show_every_account_under_the_path_once_in_order(
    accounts: dict[str, Totals], path: str, limit: int
) -> None:
    """Whatever their size."""
    store = stored(accounts)
    shown: list[str] = []
    above: str | None = ""
    while above is not None:
        page = page_under(store, path, above, limit=limit)
        assert len(page.accounts) <= limit
        shown += [account.totals.account for account in page.accounts]
        above = page.more_above
    assert shown == sorted(name for name in accounts if is_under(name, path))


def stored(accounts: dict[str, Totals]) -> MemoryBalancesStore:
    """A store of these accounts."""
    store = MemoryBalancesStore()
    for name, totals in accounts.items():
        store.write(replace(totals, account=name))
    return store
