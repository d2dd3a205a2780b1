"""What a subscriber's URL says, checked before any of it is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from consumers.webhooks.addresses import Address, Network, is_allowed, is_trusted
from ledger.contracts import reasons
from ledger.contracts.reasons import Reason

URL_LENGTH_MAX: Final = 1024
# Printable ASCII: no blank, no control character, no name that two libraries would encode apart.
_TEXT: Final = re.compile(rf"[!-~]{{1,{URL_LENGTH_MAX}}}")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?|[0-9a-f:.]+")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
#: Below it are the services of machines (SSH, SMTP, databases of old): a webhook is none of them.
_FREE_PORT_MIN: Final = 1024


class RefusedUrlError(ValueError):
    """The URL may not be used; `reason` says why. Its text does not quote the URL."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.code)


class Target(Struct, frozen=True):
    """Where a URL leads: `path` with its query, `host` a name or an address without brackets."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Where `url` leads. Raises RefusedUrlError."""
    if _TEXT.fullmatch(url) is None:
        raise RefusedUrlError(reasons.WEBHOOK_INVALID)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedUrlError(reasons.WEBHOOK_INVALID) from None
    if "@" in parts.netloc:
        raise RefusedUrlError(reasons.WEBHOOK_URL_CREDENTIALS)
    scheme: Literal["https", "http"]
    if parts.scheme == "https":
        scheme = "https"
    elif parts.scheme == "http":
        scheme = "http"
    else:
        raise RefusedUrlError(reasons.WEBHOOK_URL_INSECURE)
    port = _DEFAULT_PORTS[scheme] if port is None else port
    is_usual_port = port == _DEFAULT_PORTS[scheme] or port >= _FREE_PORT_MIN
    if "#" in url or not is_usual_port or _HOST.fullmatch(host) is None:
        raise RefusedUrlError(reasons.WEBHOOK_INVALID)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port, path)


def refusal_of(
    target: Target, addresses: Iterable[Address], trusted: Callable[[], Sequence[Network]]
) -> Reason | None:
    """Why nothing may be sent to `target`, whose host has these `addresses`; None if it may.

    `trusted` is asked only where its answer matters; what it raises is raised. One bad address
    among good ones is enough: which of them is connected to is not ours to choose for a name of
    someone else's.
    """
    found = tuple(addresses)
    if target.scheme == "https" and all(is_allowed(address) for address in found):
        return None
    networks = trusted() if found else ()
    if not all(is_allowed(address, networks) for address in found):
        return reasons.WEBHOOK_ADDRESS_REFUSED
    inside = bool(found) and all(is_trusted(address, networks) for address in found)
    if target.scheme == "http" and not inside:
        return reasons.WEBHOOK_URL_INSECURE
    return None
