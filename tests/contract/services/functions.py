"""A check of functions behind a stream: what becomes of a record that fails."""

from __future__ import annotations

import io
import zipfile

from tests.contract.services.bench import SIMULATION, Services, check, new_name, waited

SEEN = "seen "
# Reports the record `poison` as failed when it comes for the first time, and then does not look at
# those behind it.
CODE = f"""
known = set()

def handler(event, context):
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        print("{SEEN}" + key)
        if key == "poison" and key not in known:
            known.add(key)
            number = record["dynamodb"]["SequenceNumber"]
            return {{"batchItemFailures": [{{"itemIdentifier": number}}]}}
    return {{"batchItemFailures": []}}
"""
ROLE = "arn:aws:iam::000000000000:role/check"


@check(
    aws="it comes again, and then those behind it",
    matters="the mapping's retries are asserted on the template; unit tests make records fail",
    unasked={SIMULATION: "its mappings have tests of their own, with faults"},
)
def a_failed_record_comes_again(services: Services) -> str:
    """What follows a record of a stream that a function reports as failed."""
    name = new_name()
    dynamodb, functions = services.client("dynamodb"), services.client("lambda")
    table = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    for key in ("first", "poison", "behind"):
        dynamodb.put_item(TableName=name, Item={"pk": {"S": key}})
    functions.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": _archive()},
    )
    functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=table["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=3,
    )
    waited(lambda: " ".join(_seen(services, name)), lambda seen: "poison" in seen)
    seen = waited(
        lambda: " ".join(_seen(services, name)), lambda found: "behind" in found, seconds=3.0
    )
    if seen == "first poison poison behind":
        return "it comes again, and then those behind it"
    return "neither it nor those behind it come again" if seen == "first poison" else seen


def _seen(services: Services, function: str) -> list[str]:
    """The records that the function has looked at."""
    logs = services.client("logs")
    try:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []  # it has not run yet
    lines = [line for event in events for line in event["message"].splitlines()]
    return [line.removeprefix(SEEN) for line in lines if line.startswith(SEEN)]


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", CODE)
    return buffer.getvalue()
