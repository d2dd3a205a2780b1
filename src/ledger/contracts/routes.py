"""Where the REST API takes commands: a path for each type, and one for many at once.

A command's ids are in its body and nowhere else, as on every other way in. So each type has a
collection of its own, and none lies beneath `/accounts/{id}` or `/payments/{id}`: any word there
can be somebody's id.
"""

from __future__ import annotations

from typing import Final

#: The path that takes the commands of a type; in the order of docs/commands.md.
COMMAND_PATHS: Final[dict[str, str]] = {
    "account.open": "/accounts",
    "account.set_alerts": "/alerts",
    "account.set_limits": "/limits",
    "account.set_stripes": "/stripes",
    "account.freeze": "/freezes",
    "account.unfreeze": "/unfreezes",
    "account.close": "/account-closings",
    "metadata.set": "/metadata",
    "payment.post": "/payments",
    "payment.authorize": "/authorizations",
    "payment.capture": "/captures",
    "payment.increase": "/increases",
    "payment.void": "/voids",
    "payment.reverse": "/reversals",
    "payment.post_template": "/template-payments",
    "template.define": "/templates",
    "book.open": "/books",
    "book.close": "/book-closings",
    "book.reopen": "/book-reopenings",
    "batch.atomic": "/batches",
}
#: The path that takes several commands of any types, each decided by itself.
INDEPENDENT_PATH: Final = "/commands"
