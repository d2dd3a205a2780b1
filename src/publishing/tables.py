"""The lists and tables in docs/*.md that are made from the contracts."""

from __future__ import annotations

import inspect
import json
import re
from typing import Final

from ledger.contracts import examples
from ledger.contracts.commands import COMMAND_TYPES
from ledger.contracts.events import EVENT_TYPES, AccountEvent, decode_event, subject_of
from ledger.contracts.notifications import AMOUNT_BANDS
from ledger.contracts.reasons import REASONS
from ledger.contracts.routes import COMMAND_PATHS

#: The commands that can make an event of each type. A refusal is of any.
MADE_BY: Final[dict[str, tuple[str, ...]]] = {
    "account.opened": ("account.open",),
    "account.alerts_set": ("account.set_alerts",),
    "account.limits_set": ("account.set_limits",),
    "account.stripes_set": ("account.set_stripes",),
    "account.frozen": ("account.freeze",),
    "account.unfrozen": ("account.unfreeze",),
    "account.closed": ("account.close",),
    "metadata.set": ("metadata.set",),
    "payment.posted": ("payment.post", "payment.post_template"),
    "payment.authorized": ("payment.authorize",),
    "payment.captured": ("payment.capture",),
    "payment.increased": ("payment.increase",),
    "payment.voided": ("payment.void", "payment.reverse"),
    "payment.expired": ("payment.expire",),
    "payment.reversed": ("payment.reverse",),
    "payment.screened": ("payment.screen",),
    "template.defined": ("template.define",),
    "book.opened": ("book.open",),
    "book.closed": ("book.close",),
    "book.reopened": ("book.reopen",),
    "batch.committed": ("batch.atomic",),
    "command.rejected": (),
}

#: The page about what a command is for.
PAGES: Final[dict[str, str]] = {
    "account.open": "accounts.md",
    "account.set_alerts": "notifications.md",
    "account.set_limits": "limits.md",
    "account.set_stripes": "striped-accounts.md",
    "account.freeze": "accounts.md",
    "account.unfreeze": "accounts.md",
    "account.close": "accounts.md",
    "metadata.set": "metadata.md",
    "payment.post": "fx.md",
    "payment.authorize": "holds.md",
    "payment.capture": "holds.md",
    "payment.increase": "holds.md",
    "payment.void": "holds.md",
    "payment.reverse": "reversals.md",
    "payment.post_template": "templates.md",
    "template.define": "templates.md",
    "book.open": "closing.md",
    "book.close": "closing.md",
    "book.reopen": "closing.md",
    "batch.atomic": "batches.md",
    "payment.screen": "fraud.md",
    "payment.expire": "holds.md",
}


def reasons_table() -> str:
    """Every reason in precedence, one a row."""
    lines = [
        "| | `reason` | kind | status | `retry` | meaning |",
        "|--:|---|---|--:|---|---|",
    ]
    lines += [
        f"| {number} | `{reason.code}` | {reason.kind} | {int(reason.status)} "
        f"| `{reason.retry}` | {cell(reason.meaning)} |"
        for number, reason in enumerate(REASONS, start=1)
    ]
    return "\n".join(lines)


def bands_table() -> str:
    """Every amount band: from which amount on and below which one, in whole units."""
    lines = ["| `amount_band` | from | below |", "|---|--:|--:|"]
    for band in AMOUNT_BANDS:
        lowest, _, end = band.partition("-")
        lines.append(f"| `{band}` | {int(lowest):,} | {f'{int(end):,}' if end else ''} |")
    return "\n".join(lines)


def commands_list() -> str:
    """Every command: where REST takes it, and what it does."""
    lines = ["| command | REST | what it does | more |", "|---|---|---|---|"]
    for name, version in examples.COMMANDS:
        path = COMMAND_PATHS.get(name)
        route = f"`POST {path}`" if path else "the ledger's own"
        meaning = cell(first_sentence(COMMAND_TYPES[name]))
        page = PAGES[name]
        lines.append(f"| {chapter_link(name, version)} | {route} | {meaning} | [{page}]({page}) |")
    return "\n".join(lines)


def events_list() -> str:
    """Every event: which commands make it, what it makes new versions of, and what it says."""
    lines = ["| event | made by | new versions of | what happened |", "|---|---|---|---|"]
    for (name, version), example in examples.EVENTS.items():
        event = decode_event(json.dumps(example))
        subject = subject_of(event)
        kinds = [
            *(["accounts"] if isinstance(event, AccountEvent) else []),
            *([f"the {subject[0].kind}"] if subject else []),
        ]
        commands = ", ".join(f"`{command}`" for command in MADE_BY[name]) or "any command"
        changed = " and ".join(kinds) or "nothing"
        meaning = cell(first_sentence(EVENT_TYPES[name]))
        lines.append(f"| {chapter_link(name, version)} | {commands} | {changed} | {meaning} |")
    return "\n".join(lines)


def chapter_of(name: str, version: int) -> str:
    """The heading of a command's, an event's or a notification's chapter."""
    return f"`{name}`, version {version}"


def chapter_link(name: str, version: int) -> str:
    """A link to that chapter, in the same page."""
    return f"[`{name}`](#{anchor_of(chapter_of(name, version))})"


def anchor_of(heading: str) -> str:
    """What GitHub names a heading by: small letters, blanks as `-`, no other punctuation."""
    return re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")


def first_sentence(struct: type) -> str:
    """The first sentence of what a Struct says it is."""
    text = " ".join(inspect.cleandoc(struct.__doc__ or "").split())
    return text.partition(". ")[0].rstrip(".") + "."


def cell(text: str) -> str:
    """Text in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
