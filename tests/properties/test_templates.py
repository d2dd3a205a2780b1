"""Properties of templates: every share is exact, and a remainder makes them the whole."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.contracts.commands import DefineTemplate
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.rounding import Rounding
from ledger.contracts.templates import (
    AmountRule,
    TemplateParameter,
    TemplatePosting,
    check_definition,
)
from ledger.domain.templates import TemplateFault, expand

ROUNDINGS: tuple[Rounding, ...] = ("half_even", "half_up", "down", "up")
amounts = st.one_of(st.integers(1, 1_000), st.integers(1, AMOUNT_MINOR_MAX))
shares = st.lists(
    st.tuples(st.integers(0, 2_000) | st.integers(0, 10_000), st.sampled_from(ROUNDINGS)),
    max_size=8,
)


def sharing(legs: list[tuple[int, Rounding]], *, remainder: bool) -> DefineTemplate:
    """A template that shares one amount out, every share a parameter of its own."""
    rules = [
        AmountRule(of="amount", bps=f"share{index}", rounding=rounding)
        for index, (_, rounding) in enumerate(legs)
    ]
    rules += [AmountRule(of="amount", remainder=True)] if remainder else []
    return DefineTemplate(
        v=1,
        id="define",
        template="sharing",
        parameters=(
            TemplateParameter(name="amount", kind="amount"),
            *(TemplateParameter(name=f"share{index}", kind="bps") for index in range(len(legs))),
        ),
        postings=tuple(
            TemplatePosting(
                source="payer", destination=f"payee:{index}", currency="EUR", amount=rule
            )
            for index, rule in enumerate(rules)
        ),
    )


@given(amounts, shares, st.booleans())
@example(1, [], False)
@example(1, [(1, "up"), (1, "up")], True)
def test_shares_are_exact_and_add_up(
    amount_minor: int, legs: list[tuple[int, Rounding]], remainder: bool
) -> None:
    """Each share is its exact part rounded as it says; with a remainder all postings together are
    the amount, and it is refused only if the shares alone are more."""
    definition = sharing(legs, remainder=remainder)
    if definition.postings:
        assert not list(check_definition(definition.parameters, definition.postings))
    arguments: dict[str, int | str] = {f"share{place}": bps for place, (bps, _) in enumerate(legs)}
    exact = [Fraction(amount_minor * bps, 10_000) for bps, _ in legs]
    expanded = expand(definition, {"amount": amount_minor, **arguments})
    if isinstance(expanded, TemplateFault):
        assert expanded.reason.code == "template_amounts"
        highest = sum(ceil(share) for share in exact)
        assert highest > amount_minor if remainder else sum(map(floor, exact)) == 0
        return
    assert all(1 <= posting.amount_minor <= amount_minor for posting in expanded)
    posted = {posting.destination: posting.amount_minor for posting in expanded}
    for index, (share, (_, rounding)) in enumerate(zip(exact, legs, strict=True)):
        minor = posted.get(f"payee:{index}", 0)
        if rounding == "down":
            assert minor == floor(share)
        elif rounding == "up":
            assert minor == ceil(share)
        else:
            assert abs(minor - share) <= Fraction(1, 2)
    if remainder:
        assert sum(posted.values()) == amount_minor
