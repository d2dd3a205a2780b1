"""What the functions of webhooks are told, besides what is required of every one of them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from consumers.webhooks.addresses import Network, networks_of
from ledger.runtime.settings import SettingsError

_TRUSTED_NETWORKS = "WEBHOOK_TRUSTED_NETWORKS"


def trusted_networks(source: Mapping[str, str] | None = None) -> tuple[Network, ...]:
    """The networks whose addresses webhooks may be sent to though they are not public.

    Usually none: the variable may be empty. Raises SettingsError if it is no list of networks.
    """
    variables = os.environ if source is None else source
    try:
        return networks_of(variables.get(_TRUSTED_NETWORKS, ""))
    except ValueError:
        # A typo must not become "trust nothing" or "trust everything" silently.
        raise SettingsError((_TRUSTED_NETWORKS,)) from None
