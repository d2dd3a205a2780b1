"""Every command there is, by its stored type, and who may send it."""

from __future__ import annotations

from typing import Final, get_args

from ledger.contracts.commands.batches import AtomicBatch, MemberCommand
from ledger.contracts.commands.holds import ExpirePayment
from ledger.contracts.commands.payments import ScreenPayment

Command = MemberCommand | AtomicBatch | ExpirePayment | ScreenPayment

COMMAND_TYPES: Final[dict[str, type[Command]]] = dict(
    sorted((str(one.__struct_config__.tag), one) for one in get_args(Command))
)
#: Taken from the ledger's own functions only, by a queue that nobody else is granted to send to.
SYSTEM_COMMANDS: Final = frozenset({"payment.expire", "payment.screen"})
#: How the ids of system commands begin. No client may use such an id: whoever took that of a
#: verdict to come would keep it from being recorded.
SYSTEM_ID_PREFIXES: Final = ("screening:", "screening.", "expire:", "expire.")
#: What any sender may ask for, by REST, bus and queue.
CLIENT_COMMANDS: Final = frozenset(COMMAND_TYPES) - SYSTEM_COMMANDS
#: Of every command the versions that this release knows.
COMMAND_VERSIONS: Final = dict.fromkeys(COMMAND_TYPES, frozenset({1}))
