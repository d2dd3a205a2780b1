"""How long the answer to a command will be: foreseen, so that none is decided to be answered later.

Of what a function hands back Lambda takes 6 MB. An answer that turns out longer than foreseen costs
a client a repeat at the worst, so typical figures are enough.
"""

from __future__ import annotations

from typing import Final

from ledger.contracts.commands import AtomicBatch, Command, accounts_of

#: As a part of a string: each quote takes two bytes, and a character beyond ASCII three times as
#: many as in the command.
_OF_A_BYTE: Final = 3
_OF_A_COMMAND: Final = 600
_OF_AN_ACCOUNT: Final = 450
#: Of a command that names a payment or a template, and so none.
_ACCOUNTS_UNNAMED: Final = 8


def bytes_foreseen(command: Command, body: bytes) -> int:
    """The bytes that the answer to `command`, sent as `body`, will take in what is handed back."""
    members = command.commands if isinstance(command, AtomicBatch) else (command,)
    accounts = sum(len(accounts_of(one)) or _ACCOUNTS_UNNAMED for one in members)
    commands = len(members) * _OF_A_COMMAND
    return _OF_A_BYTE * len(body) + commands + accounts * _OF_AN_ACCOUNT
