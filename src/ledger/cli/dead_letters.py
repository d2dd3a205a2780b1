"""The verbs `dead-letters`, `redrive` and `discard`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final

import msgspec
import typer
from msgspec import Struct

from ledger.cli.connection import connection
from ledger.cli.failures import CheckFailedError, UsageError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import Output, fields, table
from ledger.runtime.clock import wall_clock
from ledger.upkeep.dead_letters.directory import name_of, places
from ledger.upkeep.dead_letters.discard import discard
from ledger.upkeep.dead_letters.letters import GIVEN_UP, Letter
from ledger.upkeep.dead_letters.places import Place
from ledger.upkeep.dead_letters.queues import HOLD_SECONDS
from ledger.upkeep.dead_letters.redrive import Orders, Report, redrive

#: Of one place: a page takes some 20 ms, and all are held until the last is read.
LISTED_MAX: Final = 2_000
_PLACES_AT_A_TIME: Final = 8  # an empty queue is known to be empty after a second
_MICROSECONDS_PER_SECOND: Final = 1_000_000

_HELPS: Final = {
    "same_request": "once the cause is gone",
    "new_id": "no: decided for ever under its id",
    "never": "no: it can never succeed",
    None: "perhaps: nobody said why it is here",
}


class Listed(Struct):
    """What was found in a place. `unseen` is about how many letters could not be looked at,
    `unreleased` how many show again only after HOLD_SECONDS."""

    place: Place
    letters: list[Letter] = []
    unseen: int = 0
    unreleased: int = 0


def dead_letters(
    queue: Annotated[
        str | None,
        typer.Argument(help="Only those of this queue: its name, as listed.", show_default=False),
    ] = None,
    show_body: Annotated[
        bool, typer.Option("--show-body", help="Print bodies too: they hold customers' data.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what lies in the dead letters, where, since when, why, and whether redriving can help.

    Takes nothing away: letters are hidden while they are read (seconds; at most two minutes), and
    shown again. Neither their age nor the time they are kept for changes.
    """
    with reporting(as_json) as output:
        every = places(connection(config))
        asked = every if queue is None else [place_named(every, queue)]
        with (
            output.step("looking for dead letters"),
            ThreadPoolExecutor(_PLACES_AT_A_TIME) as pool,
        ):
            found = list(pool.map(listed, asked))
        now = wall_clock()
        output.result(_listing(found, now, show_body=show_body), *_shown(found, now))
        for each in found:
            if show_body:
                _show_bodies(output, each)
            _note_incomplete(output, each.place.name, each.unseen, each.unreleased)


def redrive_letters(
    queue: Annotated[str, typer.Argument(help="Whose dead letters, as `dead-letters` lists them.")],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="Only this letter; may be given repeatedly."),
    ] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also what can never succeed; it will come back.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters back to where they came from, each sent first and removed afterwards.

    Mend the cause before. Safe while payments flow, and to run again: what is sent twice has its
    effect once.
    """
    with reporting(as_json) as output:
        place = place_named(places(connection(config)), queue)
        if not place.back_to:
            raise UsageError(f"nothing leads back from the dead letters of {place.name}")
        orders = Orders(frozenset(only or ()), force=force, dry_run=dry_run)
        doing = "looking at" if dry_run else "sending back"
        with output.bar(f"{doing} the dead letters of {place.name}") as bar:
            report = redrive(place, orders, on_progress=bar.advance)
        output.result(
            {"queue": place.name, "dry_run": dry_run, **msgspec.to_builtins(report)},
            *_outcome(place, report, dry_run=dry_run),
        )
        _note_incomplete(output, place.name, report.unseen, report.unreleased)
        if not report.complete:
            raise CheckFailedError


def discard_letters(
    queue: Annotated[str, typer.Argument(help="Whose dead letters, as `dead-letters` lists them.")],
    only: Annotated[
        list[str],
        typer.Option("--only", metavar="ID", help="This letter; may be given repeatedly."),
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove dead letters for good, each by its id, and print them whole: the last copy.

    For what can never succeed: while a letter lies there, its alarm cannot ring for the next.
    """
    with reporting(as_json) as output:
        place = place_named(places(connection(config)), queue)
        now = wall_clock()

        def last_copy(letter: Letter) -> None:
            if as_json:  # on standard error, as a failure leaves no such value on standard output
                value = _value(place.name, letter, now, show_body=True)
                output.note(msgspec.json.encode(value).decode())
            else:
                output.show(f"discarding {letter.id}", letter.body)

        done = discard(place, frozenset(only), last_copy)
        output.result(
            {
                "queue": place.name,
                "discarded": [
                    _value(place.name, letter, now, show_body=True) for letter in done.letters
                ],
                "kept": done.kept,
                "missing": done.missing,
            },
            *(f"discarded {letter.id}" for letter in done.letters),
            *(f"not removed: {id_}" for id_ in done.kept),
            *(f"not found: {id_}" for id_ in done.missing),
        )
        if not done.complete:
            raise CheckFailedError


def place_named(every: Sequence[Place], name: str) -> Place:
    """The place that `name` names: by its own name, or by that of its queue or dead-letter queue,
    with or without the stage. Raises UsageError, which lists the names."""
    known = {place.name: place for place in every}
    short = name_of(name)
    if short not in known:
        raise UsageError(f"there are no dead letters of {name!r}; there are: {', '.join(known)}")
    return known[short]


def listed(place: Place) -> Listed:
    """What lies in a place, looked at and left there. Raises botocore's errors."""
    found = Listed(place)
    expected = place.depth()
    try:
        while len(found.letters) < LISTED_MAX and (letters := place.take()):
            found.letters += letters
    finally:
        found.unreleased = place.release()
    found.unseen = max(0, expected - len(found.letters))
    return found


def _listing(found: Sequence[Listed], now: int, *, show_body: bool) -> dict[str, Any]:
    return {
        "queues": [
            {
                "queue": each.place.name,
                "letters": len(each.letters),
                "unseen": each.unseen,
                "back_to": each.place.back_to or None,
            }
            for each in found
        ],
        "letters": [
            _value(each.place.name, letter, now, show_body=show_body)
            for each in found
            for letter in each.letters
        ],
    }


def _value(queue: str, letter: Letter, now: int, *, show_body: bool) -> dict[str, Any]:
    known: Mapping[str, Any] = {
        "field": letter.field,
        "detail": letter.detail,
        "receives": letter.receives,
        "group": letter.group,
        "source_message_id": letter.source_message_id,
        "body": letter.body if show_body else "",
    }
    return {
        "queue": queue,
        "id": letter.id,
        "age_seconds": _age_seconds(letter, now),
        "kind": letter.contents.kind,
        "type": letter.contents.type or None,
        "of": letter.contents.id or None,
        "count": letter.count,
        "bytes": letter.size,
        "reason": letter.reason,
        "retry": letter.retry,
        **{name: value for name, value in known.items() if value},
    }


def _shown(found: Sequence[Listed], now: int) -> Iterator[Any]:
    yield table(
        ("queue", "dead letters", "oldest", "go back to"),
        (
            (
                each.place.name,
                f"{len(each.letters):,}" + (f" and some {each.unseen:,}" if each.unseen else ""),
                duration(max((_age_seconds(one, now) for one in each.letters), default=None)),
                each.place.back_to or "nowhere",
            )
            for each in found
        ),
        right="oldest",
    )
    if any(each.letters for each in found):
        yield ""
        yield table(
            ("queue", "letter", "age", "what", "reason", "redriving helps"),
            (
                (
                    each.place.name,
                    letter.id,
                    duration(_age_seconds(letter, now)),
                    what(letter),
                    why(letter),
                    _HELPS[letter.retry],
                )
                for each in found
                for letter in each.letters
            ),
            right="age",
        )


def _show_bodies(output: Output, found: Listed) -> None:
    for letter in found.letters:
        output.show("", f"{found.place.name} {letter.id}", letter.body)


def what(letter: Letter) -> str:
    """What a letter is, in words."""
    contents = letter.contents
    named = " ".join(filter(None, (contents.type, contents.id)))
    others = f" and {letter.count - 1} more" if letter.count > 1 else ""
    if contents.kind == "records":
        return f"{named}{others}" if named else "not what Lambda writes"
    return f"{contents.kind} {named}{others}" if named else "nothing of the ledger's"


def why(letter: Letter) -> str:
    """Why a letter is dead, in words."""
    if letter.reason == GIVEN_UP:
        times = "all its receives" if letter.receives is None else f"receive {letter.receives}"
        return f"gave up after {times}"
    return (
        letter.reason
        + (f" at {letter.field}" if letter.field else "")
        + (f": {letter.detail}" if letter.detail else "")
    )


def duration(seconds: int | None) -> str:
    """A time in its two largest units: `3 h 12 min`; nothing for None."""
    if seconds is None:
        return ""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour} h"
    if hours:
        return f"{hours} h {minute} min"
    return f"{minutes} min {second} s" if minutes else f"{second} s"


def _age_seconds(letter: Letter, now: int) -> int:
    return max(0, now - letter.since) // _MICROSECONDS_PER_SECOND  # clocks differ


def _outcome(place: Place, report: Report, *, dry_run: bool) -> Iterator[Any]:
    sent = "would go back" if dry_run else "sent back"
    facts = [
        (sent, f"{len(report.sent):,} to {place.back_to}"),
        ("sent, not removed", f"{len(report.kept):,}: they will be sent again, which is harmless"),
        ("refused", f"{len(report.refused):,}: what can never succeed goes back with --force only"),
        ("not taken", f"{len(report.not_taken):,}"),
        ("died again meanwhile", f"{len(report.came_back):,}: the cause is not mended"),
        ("not found", ", ".join(report.missing)),
    ]
    behind = (report.kept, report.refused, report.not_taken, report.came_back, report.missing)
    yield fields(fact for fact, some in zip(facts, (True, *behind), strict=True) if some)
    if staying := report.refused | report.not_taken:
        yield ""
        yield table(("not sent back", "because"), staying.items())


def _note_incomplete(output: Output, name: str, unseen: int, unreleased: int) -> None:
    if unseen:
        output.note(
            f"{name}: some {unseen:,} more could not be seen: in another reader's hands for up to "
            f"{HOLD_SECONDS} s, or behind others of their group, of which a FIFO queue shows ten"
        )
    if unreleased:
        output.note(f"{name}: {unreleased:,} show again in {HOLD_SECONDS} s only")
