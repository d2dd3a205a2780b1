"""Failed messages are named, and come back soon but not all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from ledger.runtime.sqs import (
    batch_answer,
    delay_retries,
    delay_retry,
    receive_count,
    retry_seconds,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/balances"


def record(number: int, received: int = 1) -> dict[str, Any]:
    """A record of a batch as Lambda hands it over."""
    return {
        "messageId": f"m{number}",
        "receiptHandle": f"r{number}",
        "attributes": {"ApproximateReceiveCount": str(received)},
    }


@pytest.fixture
def client() -> SQSClient:
    """A client that must be stubbed: it has no network."""
    return boto3.client(
        "sqs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def half() -> float:
    """A draw from the middle."""
    return 0.5


def test_the_answer_names_the_failed_messages_and_no_other() -> None:
    """Lambda deletes what is not named."""
    assert batch_answer([record(2), record(5)]) == {
        "batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m5"}]
    }
    assert batch_answer([]) == {"batchItemFailures": []}


def test_a_record_that_does_not_say_was_received_once() -> None:
    """Direct invocations, as in tests and drills, have no attributes."""
    assert receive_count({"messageId": "m"}) == 1
    assert receive_count(record(1, received=3)) == 3


@pytest.mark.parametrize(
    ("received", "drawn", "seconds"),
    [(1, 0.0, 1), (1, 0.99, 2), (3, 0.5, 4), (5, 0.5, 16), (9, 0.5, 150), (60, 0.999, 300)],
)
def test_a_message_comes_back_after_a_part_of_2_to_the_receives(
    received: int, drawn: float, seconds: int
) -> None:
    """Full jitter of 2^receives seconds: at least 1 s, never above 5 minutes."""
    assert retry_seconds(received, lambda: drawn) == seconds


def test_retries_are_delayed_ten_a_request(client: SQSClient) -> None:
    """Each message gets a visibility time-out by its own number of receives."""
    records = [record(number, received=number % 4 + 1) for number in range(12)]
    with Stubber(client) as stub:
        for chunk in (records[:10], records[10:]):
            stub.add_response(
                "change_message_visibility_batch",
                {"Successful": [], "Failed": []},
                {
                    "QueueUrl": URL,
                    "Entries": [
                        {
                            "Id": str(place),
                            "ReceiptHandle": each["receiptHandle"],
                            "VisibilityTimeout": retry_seconds(receive_count(each), half),
                        }
                        for place, each in enumerate(chunk)
                    ],
                },
            )
        assert delay_retries(client, URL, records, half) == 0
        stub.assert_no_pending_responses()


def test_what_sqs_does_not_take_is_counted_and_never_raised(client: SQSClient) -> None:
    """The messages come back anyhow: an error here must not fail the batch."""
    refused = {"Id": "0", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}
    with Stubber(client) as stub:
        stub.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": [refused]},
            {"QueueUrl": URL, "Entries": ANY},
        )
        stub.add_client_error("change_message_visibility_batch", "AccessDenied")
        assert delay_retries(client, URL, [record(n) for n in range(12)], half) == 3


def test_one_message_is_delayed_alone(client: SQSClient) -> None:
    """`delay_retry` says whether SQS took it."""
    answer = {"Successful": [{"Id": "0"}], "Failed": []}
    with Stubber(client) as stub:
        stub.add_response("change_message_visibility_batch", answer)
        stub.add_client_error("change_message_visibility_batch", "AccessDenied")
        assert delay_retry(client, URL, record(1), half) is True
        assert delay_retry(client, URL, record(1), half) is False


def test_a_lost_connection_is_an_error_like_others() -> None:
    """Errors of the network are counted too."""

    class Disconnected:
        def change_message_visibility_batch(self, **_: object) -> object:
            raise ReadTimeoutError(endpoint_url=URL)

    assert delay_retries(cast("SQSClient", Disconnected()), URL, [record(1)], half) == 1
