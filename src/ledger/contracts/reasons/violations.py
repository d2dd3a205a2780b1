"""A malformed command, as an error."""

from __future__ import annotations

from msgspec import Struct

from ledger.contracts.reasons.base import Reason


class Violation(Struct, frozen=True):
    """One fault of a malformed command: the reason, and the path of the field that has it.

    `field` is a path as `postings[0].amount_minor`, empty for the body as a whole. No value of the
    client's is ever part of it, so that it can be logged.
    """

    reason: Reason
    field: str


class InvalidCommandError(ValueError):
    """A malformed command: nothing was recorded, its id stays free. Not empty: `violations`."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        self.violations = violations
        super().__init__(", ".join(f"{v.reason.code} at {v.field or 'body'}" for v in violations))
