"""Names that the stored states and the template of their table share. Stored: never rename one.

The index `due` has the payments that are held, each by the instant at which its hold expires. It is
sparse: an item that is no open hold lacks the attributes.
"""

from __future__ import annotations

from typing import Final

DUE_INDEX: Final = "due"
DUE_SHARD: Final = "due_shard"  # its partition key: holds that expire together are spread
DUE_AT: Final = "due_at"  # its sort key
DUE_ACCOUNTS: Final = "due_accounts"  # projected: the accounts of the hold
