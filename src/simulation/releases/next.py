"""The next release, which this one meets in the middle of a deployment.

It numbers what it adds, as every release has to: a payment of several postings is recorded as
version 2 of `payment.posted`, which says of how many (`parts`), and an account counts those that
touched it (`compound`), in version 5 of its state, and in version 2 of that of a further stripe.
Whoever does not know these must neither read over them nor write over them. Everything else it does
as today.
"""

from __future__ import annotations

from typing import Final

from simulation.releases.patches import Patch

#: Today's release knows version 1 of the event, versions 1 to 4 of the state of an account, and
#: version 1 of that of a further stripe.
EVENT_VERSION: Final = 2
STATE_SCHEMA: Final = 5
STRIPE_SCHEMA: Final = 2
#: The field of the event, and that of the state: a count, which never goes down.
EVENT_FIELD: Final = "parts"
STATE_FIELD: Final = "compound"

_EVENT: Final = (
    Patch(
        "ledger.contracts.events.base",
        "    v: Literal[1]\n",
        f"    v: Literal[1, {EVENT_VERSION}]\n",
    ),
    Patch(
        "ledger.contracts.events.catalogue",
        "_VERSIONS: Final = dict.fromkeys(EVENT_TYPES, frozenset({1}))\n",
        "_VERSIONS: Final = dict.fromkeys(EVENT_TYPES, frozenset({1}))\n"
        f'_VERSIONS["payment.posted"] = frozenset({{1, {EVENT_VERSION}}})\n',
    ),
    Patch(
        "ledger.contracts.events.payments",
        "    template: TemplateUse | UnsetType = UNSET\n",
        "    template: TemplateUse | UnsetType = UNSET\n"
        f"    {EVENT_FIELD}: int | UnsetType = UNSET\n",
    ),
    Patch(
        "ledger.domain.post_payment",
        "        **head(command, stamp, effective_at),\n",
        "        **head(command, stamp, effective_at)\n"
        f'        | {{"v": {EVENT_VERSION} if len(postings) > 1 else 1}},\n'
        f"        {EVENT_FIELD}=len(postings) if len(postings) > 1 else UNSET,\n",
    ),
)
_STRIPE_SCHEMA_IS: Final = (
    '    """A further stripe of an account. Which one it is, its key says."""\n\n'
    "    @property\n    def schema(self) -> int:\n"
)
_STATE: Final = (
    Patch(
        "ledger.domain.accounts",
        "    counters: tuple[VelocityCounter, ...] = ()  # of the limits, in their order\n",
        "    counters: tuple[VelocityCounter, ...] = ()  # of the limits, in their order\n"
        f"    {STATE_FIELD}: int = 0\n",
    ),
    Patch(
        "ledger.domain.accounts",
        "            **_changes(state, event),\n",
        f"            {STATE_FIELD}=state.{STATE_FIELD} + (event.v == {EVENT_VERSION}),\n"
        "            **_changes(state, event),\n",
    ),
    Patch(
        "ledger.adapters.dynamodb.bodies",
        "    velocity: tuple[PackedLimit, ...] = ()\n",
        f"    velocity: tuple[PackedLimit, ...] = ()\n    {STATE_FIELD}: int = 0\n",
    ),
    Patch(
        "ledger.adapters.dynamodb.bodies",
        "        if self.stripes_made > 1:\n            return 4\n",
        f"        if self.{STATE_FIELD}:\n            return {STATE_SCHEMA}\n"
        "        if self.stripes_made > 1:\n            return 4\n",
    ),
    Patch(
        "ledger.adapters.dynamodb.bodies",
        f"{_STRIPE_SCHEMA_IS}        return 1\n",
        f"{_STRIPE_SCHEMA_IS}        return {STRIPE_SCHEMA} if self.{STATE_FIELD} else 1\n",
    ),
    Patch(
        "ledger.adapters.dynamodb.bodies",
        "            4, _Account",
        f"            {STATE_SCHEMA}, _Account",
    ),
    Patch(
        "ledger.adapters.dynamodb.bodies",
        "_schema(1, _StripeBody",
        f"_schema({STRIPE_SCHEMA}, _StripeBody",
    ),
)
NEXT: Final = (*_EVENT, *_STATE)
