"""Amazon S3: buckets of objects that Lambda writes and people read and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from msgspec import Struct

from simulation.aws.calls import Answer, Operation, Request
from simulation.aws.errors import ServiceError
from simulation.kernel.hub import SECOND, Hub

_KEYS_MAX: Final = 1_000  # of a page
_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "list_objects_v2": frozenset({"Bucket", "Prefix", "ContinuationToken"}),
    "get_object": frozenset({"Bucket", "Key"}),
    "delete_object": frozenset({"Bucket", "Key"}),
}


class _Object(Struct, frozen=True):
    body: bytes
    at: datetime


class Buckets:
    """All buckets, by their names. What has no parameter here raises NotImplementedError."""

    name: Final = "s3"

    def __init__(self, hub: Hub, buckets: Sequence[str]) -> None:
        self._hub = hub
        self._buckets: dict[str, dict[str, _Object]] = {bucket: {} for bucket in buckets}
        self.operations: Mapping[str, Operation] = {
            "list_objects_v2": self._list,
            "get_object": self._get,
            "delete_object": self._delete,
        }

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service."""
        strange = sorted(request.keys() - _PARAMETERS[operation])
        if strange:
            raise NotImplementedError(f"s3.{operation}: {strange} is not simulated")
        return request

    def add(self, bucket: str) -> None:
        """One more bucket, empty."""
        self._buckets[bucket] = {}

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Another service writes an object."""
        # S3 shows whole seconds.
        at = datetime.fromtimestamp(self._hub.now // SECOND, UTC)
        self._buckets[bucket][key] = _Object(body, at)

    def peek(self, bucket: str) -> Mapping[str, bytes]:
        """All objects by their keys, in the order in which they came."""
        return {key: each.body for key, each in self._buckets[bucket].items()}

    def _list(self, request: Request) -> Answer:
        objects = self._objects(request)
        prefix, after = request.get("Prefix", ""), request.get("ContinuationToken", "")
        keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
        page = keys[:_KEYS_MAX]
        answer: Answer = {"IsTruncated": len(page) < len(keys), "KeyCount": len(page)}
        if page:
            answer["Contents"] = [
                {"Key": key, "LastModified": objects[key].at, "Size": len(objects[key].body)}
                for key in page
            ]
        if len(page) < len(keys):
            answer["NextContinuationToken"] = page[-1]
        return answer

    def _get(self, request: Request) -> Answer:
        found = self._objects(request).get(request["Key"])
        if found is None:
            raise ServiceError("NoSuchKey", "The specified key does not exist.", status=404)
        return {
            "Body": BytesIO(found.body),
            "ContentLength": len(found.body),
            "LastModified": found.at,
        }

    def _delete(self, request: Request) -> Answer:
        self._objects(request).pop(request["Key"], None)
        return {}

    def _objects(self, request: Request) -> dict[str, _Object]:
        objects = self._buckets.get(request["Bucket"])
        if objects is None:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", status=404)
        return objects
