"""An emulator to be asked about the services beside DynamoDB."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sandbox.endpoint import Endpoint
from tests.support.conformance import Catalogue

WAIT_SECONDS_MAX = 60.0  # on a machine that is busy testing; what is there is answered at once
ARRIVE_SECONDS_MAX = 20
QUIET_SECONDS = 1


class Services:
    """The emulator's clients, and queues of one's own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def client(self, service: str) -> Any:
        """A client of the emulator."""
        make: Any = self._endpoint.session().client
        return make(service, **self._endpoint.client_arguments())

    def queue(self, suffix: str = "", **attributes: str) -> str:
        """The URL of an empty queue."""
        created = self.client("sqs").create_queue(
            QueueName=f"{new_name()}{suffix}", Attributes=attributes
        )
        return str(created["QueueUrl"])

    def queue_arn(self, url: str) -> str:
        """The ARN of a queue."""
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def received(self, url: str, *, most: int = 10, seconds: int = ARRIVE_SECONDS_MAX) -> list[str]:
        """The bodies of messages that a queue gives as soon as it has one."""
        answer = self.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=most, WaitTimeSeconds=seconds
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def stack(self, resources: dict[str, Any]) -> tuple[str, str]:
        """How a stack of these resources ended, and its name."""
        cloudformation, name = self.client("cloudformation"), new_name()
        cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": resources})
        )

        def status() -> str:
            stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
            return str(stacks[0]["StackStatus"])

        return waited(status, lambda found: not found.endswith("IN_PROGRESS")), name


def new_name() -> str:
    """A name that nothing has."""
    return f"check-{uuid4()}"


def waited(
    ask: Callable[[], str], enough: Callable[[str], bool], *, seconds: float = WAIT_SECONDS_MAX
) -> str:
    """What `ask` says once it is enough, or when the time is up."""
    deadline = time.monotonic() + seconds
    while not enough(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


CATALOGUE: Catalogue[Services] = Catalogue()
"""What the ledger needs answered as AWS answers it."""
check = CATALOGUE.check
