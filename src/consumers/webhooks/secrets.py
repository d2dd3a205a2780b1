"""Where subscribers' secrets are kept: AWS Secrets Manager, one secret a subscriber.

Managing makes secrets and never reads one; delivering reads them and never makes one. What ties the
two together is the version's id, which the subscriber's record has: a version never changes, so it
can be cached, and a rotation is seen as soon as the record is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import ClientError

from ledger.runtime.faults import AWS_ERRORS, StoreError, code_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

#: How long a worker trusts what it read: one that was taken away by hand stops signing soon.
CACHE_SECONDS: Final = 300.0
#: Two keys for each of all subscribers, twice; beyond it something is wrong, and memory is not it.
_CACHED_MAX: Final = 200
_MISSING: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class SecretMissingError(Exception):
    """There is no such secret, or no such version of it, or it is being deleted."""


class SecretWriter(Protocol):
    """Makes secrets. Every method may raise StoreError."""

    def put(self, subscriber: str, secret: str) -> str:
        """Make this the subscriber's newest secret; the id of its version. The one before stays
        readable by its own id, the one before that does not."""

    def remove(self, subscriber: str) -> None:
        """Remove all versions; done already is done."""


class SecretReader(Protocol):
    """Reads secrets."""

    def get(self, subscriber: str, version: str) -> str:
        """A version of a subscriber's secret. Raises SecretMissingError or StoreError."""


class SecretsManager:
    """Both, in Secrets Manager: `<prefix><subscriber>`, encrypted with `key` where it is made."""

    def __init__(self, client: SecretsManagerClient, prefix: str, key: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self._key = key

    def put(self, subscriber: str, secret: str) -> str:
        name = self._prefix + subscriber
        try:
            try:
                return self._client.create_secret(
                    Name=name,
                    SecretString=secret,
                    KmsKeyId=self._key,
                    Description="Signs what the ledger sends to a webhook",
                )["VersionId"]
            except ClientError as error:
                if code_of(error) != "ResourceExistsException":
                    raise
            return self._client.put_secret_value(SecretId=name, SecretString=secret)["VersionId"]
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error

    def remove(self, subscriber: str) -> None:
        try:
            # At once: the name must be free for another subscriber of that id.
            self._client.delete_secret(
                SecretId=self._prefix + subscriber, ForceDeleteWithoutRecovery=True
            )
        except AWS_ERRORS as error:
            if code_of(error) != "ResourceNotFoundException":
                raise StoreError(code_of(error)) from error

    def get(self, subscriber: str, version: str) -> str:
        try:
            return self._client.get_secret_value(
                SecretId=self._prefix + subscriber, VersionId=version
            )["SecretString"]
        except AWS_ERRORS as error:
            if code_of(error) in _MISSING:
                raise SecretMissingError from None
            raise StoreError(code_of(error)) from error
        except KeyError:  # binary: nobody of ours made it
            raise SecretMissingError from None


class CachedSecrets:
    """What a reader gave, for CACHE_SECONDS. That there is none is asked again every time."""

    def __init__(self, reader: SecretReader, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._monotonic = monotonic
        self._cached: dict[tuple[str, str], tuple[float, str]] = {}

    def get(self, subscriber: str, version: str) -> str:
        place, now = (subscriber, version), self._monotonic()
        cached = self._cached.get(place)
        if cached is not None and now - cached[0] < CACHE_SECONDS:
            return cached[1]
        secret = self._reader.get(subscriber, version)
        if len(self._cached) >= _CACHED_MAX:
            self._cached.clear()
        self._cached[place] = now, secret
        return secret


class MemorySecrets:
    """Secrets in memory, for tests and examples."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, str]] = {}
        self._made = 0

    def keep(self, subscriber: str, version: str, secret: str) -> None:
        """Have this version, and of the others the newest."""
        kept = list(self._versions.get(subscriber, {}).items())[-1:]
        self._versions[subscriber] = dict([*kept, (version, secret)])

    def put(self, subscriber: str, secret: str) -> str:
        self._made += 1
        version = f"made-{self._made}"
        self.keep(subscriber, version, secret)
        return version

    def remove(self, subscriber: str) -> None:
        self._versions.pop(subscriber, None)

    def get(self, subscriber: str, version: str) -> str:
        try:
            return self._versions[subscriber][version]
        except KeyError:
            raise SecretMissingError from None
