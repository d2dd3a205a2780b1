"""The networks that webhooks may be sent to though their addresses are not public.

They are a parameter of the stack, kept in Systems Manager and read there while the ledger runs: in
a function's environment a change would reach no version that is published already. Who is sent to
at a public address, which is nearly everyone, needs none of them, and is not kept waiting for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from consumers.webhooks.addresses import Network, networks_of
from ledger.runtime.faults import AWS_ERRORS, StoreError, code_of

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

#: A change is in force everywhere after this long at most.
CACHE_SECONDS: Final = 60.0
#: For whom waited while another thread's read failed, and would fail like it.
_FAILURE_SECONDS: Final = 1.0
#: The code of a parameter that is no list of networks.
BROKEN_NETWORKS: Final = "broken_networks"

Trusted = Callable[[], Sequence[Network]]
"""The trusted networks as of now. Raises StoreError."""


class TrustedNetworks:
    """The networks in a parameter, as they were at most CACHE_SECONDS ago. Safe to share by
    threads. The client is made when it is first needed."""

    def __init__(
        self, client: Callable[[], SSMClient], name: str, monotonic: Callable[[], float]
    ) -> None:
        self._client = client
        self._name = name
        self._monotonic = monotonic
        self._lock = threading.Lock()  # boto3 makes clients in one thread at a time
        self._made: SSMClient | None = None
        self._read: tuple[float, Sequence[Network]] | None = None
        self._failure: tuple[float, str] | None = None

    def __call__(self) -> Sequence[Network]:
        """The networks. Raises StoreError: what cannot be read is neither "none" nor "as before",
        since trust may have been withdrawn."""
        with self._lock:
            now, read, failure = self._monotonic(), self._read, self._failure
            if read is not None and now - read[0] < CACHE_SECONDS:
                return read[1]
            if failure is not None and now - failure[0] < _FAILURE_SECONDS:
                raise StoreError(failure[1])
            try:
                networks = self._networks()
            except StoreError as error:
                self._failure = self._monotonic(), error.code
                raise
            self._read = now, networks
            return networks

    def _networks(self) -> Sequence[Network]:
        try:
            if self._made is None:
                self._made = self._client()
            text = self._made.get_parameter(Name=self._name)["Parameter"]["Value"]
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        try:
            return networks_of(text)
        except ValueError:
            # A typo must not become "trust nothing" or "trust everything" silently.
            raise StoreError(BROKEN_NETWORKS) from None
