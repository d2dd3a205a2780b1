"""What all commands have in common."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ledger.contracts.primitives import Id


class Closed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object of a request: nothing unknown in it."""


class BaseCommand(Closed, frozen=True, kw_only=True, tag_field="type"):
    """A command: its `type` (the tag, stored in refusals and in bus rules), its version, its id.

    A field left out stays `UNSET`, so that the request can be recorded as it was sent.
    """

    v: Literal[1]
    id: Id
