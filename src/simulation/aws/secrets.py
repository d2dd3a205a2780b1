"""AWS Secrets Manager: secrets with their two newest versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulation.aws.calls import Answer, Operation, Request
from simulation.aws.errors import ServiceError

_TOKEN: Final = "ClientRequestToken"  # noqa: S105 - the name of a parameter
_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "create_secret": frozenset({"Name", "SecretString", "KmsKeyId", "Description", _TOKEN}),
    "put_secret_value": frozenset({"SecretId", "SecretString", _TOKEN}),
    "get_secret_value": frozenset({"SecretId", "VersionId"}),
    "delete_secret": frozenset({"SecretId", "ForceDeleteWithoutRecovery"}),
}
_VERSIONS_KEPT: Final = 2  # the current and the one before; others have no label, and may go


class Secrets:
    """All secrets. What has no parameter here raises NotImplementedError.

    The SDK gives every request that writes a token, which is the id of the version that it makes:
    so its own retries write once.
    """

    name: Final = "secretsmanager"

    def __init__(self) -> None:
        self._secrets: dict[str, dict[str, str]] = {}
        self._ever: dict[str, list[str]] = {}
        self._tokens = 0
        self.operations: Mapping[str, Operation] = {
            "create_secret": self._create,
            "put_secret_value": self._put,
            "get_secret_value": self._get,
            "delete_secret": self._delete,
        }

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service."""
        strange = sorted(request.keys() - _PARAMETERS[operation])
        if strange:
            raise NotImplementedError(f"secretsmanager.{operation}: {strange} is not simulated")
        if _TOKEN in _PARAMETERS[operation] and _TOKEN not in request:
            self._tokens += 1
            return {**request, _TOKEN: f"51510000-0000-4000-8003-{self._tokens:012x}"}
        return request

    def peek(self, name: str) -> list[str]:
        """Whatever was ever written under a name, the oldest first, for the auditor."""
        return list(self._ever.get(name, ()))

    def _create(self, request: Request) -> Answer:
        name = request["Name"]
        versions = self._secrets.get(name)
        if versions is not None and request[_TOKEN] not in versions:
            raise ServiceError(
                "ResourceExistsException",
                f"The operation failed because the secret {name} already exists.",
            )
        return self._written(name, versions or {}, request)

    def _put(self, request: Request) -> Answer:
        name = request["SecretId"]
        return self._written(name, self._versions(name), request)

    def _written(self, name: str, versions: dict[str, str], request: Request) -> Answer:
        version, secret = request[_TOKEN], request["SecretString"]
        if versions.get(version, secret) != secret:
            raise ServiceError(
                "ResourceExistsException",
                f"You can't use ClientRequestToken {version} because that value is already in use "
                f"for a version of secret {name}.",
            )
        if version not in versions:
            versions = dict([*list(versions.items())[1 - _VERSIONS_KEPT :], (version, secret)])
            self._secrets[name] = versions
            self._ever.setdefault(name, []).append(secret)
        return {"Name": name, "VersionId": version}

    def _get(self, request: Request) -> Answer:
        if "VersionId" not in request:
            raise NotImplementedError("secretsmanager.get_secret_value: only with a VersionId")
        name, version = request["SecretId"], request["VersionId"]
        versions = self._versions(name)
        if version not in versions:
            raise ServiceError(
                "ResourceNotFoundException",
                f"Secrets Manager can't find the specified secret value for VersionId: {version}",
            )
        return {"Name": name, "VersionId": version, "SecretString": versions[version]}

    def _delete(self, request: Request) -> Answer:
        if request.get("ForceDeleteWithoutRecovery") is not True:
            raise NotImplementedError("secretsmanager.delete_secret: only at once")
        # A forced deletion of what is not there succeeds.
        self._secrets.pop(request["SecretId"], None)
        return {"Name": request["SecretId"]}

    def _versions(self, name: str) -> dict[str, str]:
        versions = self._secrets.get(name)
        if versions is None:
            raise ServiceError(
                "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
            )
        return versions
