"""Whether a repeated id carries the request that was decided under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import UNSET, Struct

from ledger.contracts.commands import AtomicBatch, Command
from ledger.contracts.events import Accepted, BatchCommitted, request_of
from ledger.contracts.primitives import MAIN_BOOK

#: What a field left out stands for, by the type of the command or the class of a part of one.
#: `effective_at` and `expires_at` have no fixed default: left out, they mean the recorded time or a
#: time after it, so a repeat must leave them out too.
_DEFAULTS: Final[dict[tuple[str, str], object]] = {
    ("account.open", "min_balance_minor"): 0,
    ("account.open", "max_balance_minor"): None,
    ("account.open", "book"): MAIN_BOOK,
    ("account.open", "stripes"): 1,
    ("book.close", "book"): MAIN_BOOK,
    ("book.reopen", "book"): MAIN_BOOK,
    ("payment.authorize", "over_capture_bps"): 0,
    ("payment.capture", "final"): False,
    ("AmountRule", "remainder"): False,
    ("AmountRule", "rounding"): "half_even",
}
_ITSELF: Final = ("v", "id")


def differing_fields(recorded: Command, repeated: Command) -> tuple[str, ...]:
    """The paths of the fields in which the two requests differ; empty if they are the same."""
    if type(recorded) is not type(repeated):
        return ("type",)
    return tuple(_in_structs(recorded, repeated, "", _ITSELF))


def differing_members(
    event: BatchCommitted, members: tuple[Accepted, ...], repeated: Command
) -> tuple[str, ...]:
    """The paths in which a repeated batch differs from the one that was committed."""
    if not isinstance(repeated, AtomicBatch):
        return ("type",)
    if len(event.commands) != len(repeated.commands):
        return ("commands",)
    fields: list[str] = []
    for index, (made, again) in enumerate(zip(members, repeated.commands, strict=True)):
        request = request_of(made)
        assert request is not None  # no batch is in a batch
        differing = ("id",) if made.id != again.id else differing_fields(request, again)
        fields += [f"commands[{index}].{field}" for field in differing]
    return tuple(fields)


def _in_structs(
    before: Struct, after: Struct, path: str, passed_over: tuple[str, ...] = ()
) -> Iterator[str]:
    kind = str(before.__struct_config__.tag or type(before).__name__)
    for name in before.__struct_fields__:
        if name not in passed_over:
            default = _DEFAULTS.get((kind, name), UNSET)
            yield from _between(
                _resolved(getattr(before, name), default),
                _resolved(getattr(after, name), default),
                f"{path}.{name}" if path else name,
            )


def _between(before: object, after: object, path: str) -> Iterator[str]:
    if isinstance(before, Struct) and isinstance(after, Struct):
        if type(before) is not type(after):
            yield f"{path}.type"
            return
        yield from _in_structs(before, after, path)
    elif isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _between(*pair, f"{path}[{index}]")
    elif _plain(before) != _plain(after):
        yield path


def _plain(value: object) -> object:
    """No metadata are the same as none given."""
    return UNSET if isinstance(value, Mapping) and not value else value


def _resolved(value: object, default: object) -> object:
    return default if value is UNSET else value
