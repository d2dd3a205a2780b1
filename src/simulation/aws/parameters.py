"""AWS Systems Manager: its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulation.aws.calls import Answer, Operation, Request
from simulation.aws.errors import ServiceError


class Parameters:
    """Texts by name."""

    name: Final = "ssm"

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._values = dict(parameters)
        self._versions = dict.fromkeys(parameters, 1)
        self.operations: Mapping[str, Operation] = {"get_parameter": self._get}

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service."""
        if request.keys() != {"Name"}:
            raise NotImplementedError(f"ssm.{operation}: {sorted(request)} is not simulated")
        return request

    def put(self, name: str, value: str) -> None:
        """Give a parameter another value, as an operator does."""
        self._values[name] = value
        self._versions[name] = self._versions.get(name, 0) + 1

    def _get(self, request: Request) -> Answer:
        name = request["Name"]
        if name not in self._values:
            raise ServiceError("ParameterNotFound")
        return {
            "Parameter": {
                "Name": name,
                "Type": "String",
                "Value": self._values[name],
                "Version": self._versions[name],
            }
        }
