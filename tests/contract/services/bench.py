"""The services beside DynamoDB, ready to be asked: on the emulator, and simulated."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from sandbox.endpoint import Endpoint
from simulation.wiring.model import Rule, Subscription
from tests.support.conformance import Catalogue
from tests.support.simulated import ACCOUNT, DAY_SECONDS, REGION, SimulatedMessaging, a_queue

EMULATOR, SIMULATION = "emulator", "simulation"
WAIT_SECONDS_MAX = 60.0  # on a machine that is busy testing; what is there is answered at once
ARRIVE_SECONDS_MAX = 20
QUIET_SECONDS = 1

#: Why some questions are not put to the simulation.
NOT_DEPLOYED = {SIMULATION: "it is made of the template, not by CloudFormation"}
#: The only ones of the simulated queues that can be chosen.
_QUEUE_ATTRIBUTES = frozenset(
    {
        *("VisibilityTimeout", "RedrivePolicy", "FifoQueue"),
        *("DeduplicationScope", "FifoThroughputLimit"),
    }
)


class Services(ABC):
    """Clients of a place, and queues, topics and buses of one's own."""

    @abstractmethod
    def client(self, service: str) -> Any:
        """A client; it does not retry."""

    @abstractmethod
    def queue(self, suffix: str = "", **attributes: str) -> str:
        """The URL of an empty queue."""

    @abstractmethod
    def topic(self, *queue_urls: str) -> str:
        """The ARN of a topic whose messages come into these queues as they are."""

    @abstractmethod
    def bus(self, pattern: Mapping[str, Any], queue_url: str) -> str:
        """The name of a bus with one rule, for what matches `pattern`, into that queue."""

    @abstractmethod
    def bucket(self, **objects: bytes) -> str:
        """The name of a bucket with these objects."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Lets time pass."""

    def queue_arn(self, url: str) -> str:
        """The ARN of a queue."""
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def messages(
        self, url: str, *, most: int = 10, seconds: int = ARRIVE_SECONDS_MAX, **options: Any
    ) -> list[Any]:
        """Messages that a queue gives as soon as it has one, with all their attributes."""
        answer = self.client("sqs").receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **options,
        )
        return list(answer.get("Messages", []))

    def received(self, url: str, *, most: int = 10, seconds: int = ARRIVE_SECONDS_MAX) -> list[str]:
        """The bodies of messages that a queue gives as soon as it has one."""
        return [message["Body"] for message in self.messages(url, most=most, seconds=seconds)]

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


class EmulatedServices(Services):
    """Those of the emulator."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._make: Any = endpoint.session().client
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._make(service, **self._endpoint.client_arguments())
        return self._clients[service]

    def queue(self, suffix: str = "", **attributes: str) -> str:
        created = self.client("sqs").create_queue(
            QueueName=f"{new_name()}{suffix}", Attributes=attributes
        )
        return str(created["QueueUrl"])

    def topic(self, *queue_urls: str) -> str:
        sns = self.client("sns")
        topic = str(sns.create_topic(Name=new_name())["TopicArn"])
        for url in queue_urls:
            sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=self.queue_arn(url),
                Attributes={"RawMessageDelivery": "true"},
            )
        return topic

    def bus(self, pattern: Mapping[str, Any], queue_url: str) -> str:
        events, name = self.client("events"), new_name()
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps(pattern))
        events.put_targets(
            Rule=name,
            EventBusName=name,
            Targets=[{"Id": "queue", "Arn": self.queue_arn(queue_url)}],
        )
        return name

    def bucket(self, **objects: bytes) -> str:
        s3, name = self.client("s3"), new_name()
        s3.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        for key, body in objects.items():
            s3.put_object(Bucket=name, Key=key, Body=body)
        return name

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class SimulatedServices(Services):
    """Those of the simulation, without faults. Time passes in them as it is asked to."""

    def __init__(self) -> None:
        self._world = SimulatedMessaging()
        self._made = 0

    def client(self, service: str) -> Any:
        return self._world.client(getattr(self._world, service))

    def queue(self, suffix: str = "", **attributes: str) -> str:
        if strange := sorted(attributes.keys() - _QUEUE_ATTRIBUTES):
            raise ValueError(f"no simulated queue has {strange}")
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        queue = a_queue(
            f"{self._name()}{suffix}",
            visibility_seconds=int(attributes.get("VisibilityTimeout", "30")),
            retention_seconds=4 * DAY_SECONDS,
            max_receives=redrive.get("maxReceiveCount"),
            dead_letters=redrive.get("deadLetterTargetArn", "").rpartition(":")[2] or None,
        )
        self._world.sqs.add(queue)
        return queue.url

    def topic(self, *queue_urls: str) -> str:
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{self._name()}"
        self._world.sns.add(arn)
        for url in queue_urls:
            self._world.sns.subscribe(Subscription(arn, url.rpartition("/")[2], None))
        return arn

    def bus(self, pattern: Mapping[str, Any], queue_url: str) -> str:
        name, queue = self._name(), queue_url.rpartition("/")[2]
        self._world.events.add(
            Rule(
                name=name,
                bus=name,
                pattern=pattern,
                queue=queue,
                dead_letters=queue,
                retries=0,
                age_seconds=60,
            )
        )
        return name

    def bucket(self, **objects: bytes) -> str:
        name = self._name()
        self._world.s3.add(name)
        for key, body in objects.items():
            self._world.s3.put(name, key, body)
        return name

    def wait(self, seconds: float) -> None:
        self._world.wait(seconds)

    def _name(self) -> str:
        self._made += 1
        return f"check-{self._made}"


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


def refusal(do: Callable[[], object]) -> str:
    """The code that a call fails with, without what only the older API had in front of it; or
    `accepted`."""
    try:
        do()
    except ClientError as error:
        return plain(error.response["Error"]["Code"])
    return "accepted"


def plain(code: str) -> str:
    """A code without what the older API of SQS put in front of it."""
    return code.rpartition(".")[2]


def results(answer: Mapping[str, Any]) -> str:
    """What a batch operation of SQS or SNS answered: the ids of those done, those not and why."""
    done = [entry["Id"] for entry in answer.get("Successful", [])]
    failed = [
        f"{entry['Id']} {plain(entry['Code'])}{' by the sender' * entry['SenderFault']}"
        for entry in answer.get("Failed", [])
    ]
    return f"done {', '.join(done) or 'none'}; failed {', '.join(failed) or 'none'}"


CATALOGUE: Catalogue[Services] = Catalogue()
"""What the ledger needs answered as AWS answers it."""
check = CATALOGUE.check
