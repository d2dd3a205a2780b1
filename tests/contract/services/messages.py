"""Checks of EventBridge and SNS: what is taken, what is delivered, and in which form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.contract.services.bench import SIMULATION, Services, check, refusal, results

MIB = 1024 * 1024
ANYTHING: Mapping[str, Any] = {"account": ["000000000000"]}


@check(
    aws="refused as MalformedDetail",
    matters="what we publish is JSON by construction; a command that is none becomes a dead letter",
)
def a_detail_is_json(services: Services) -> str:
    """An event whose detail is no JSON."""
    return _put_events(services, "no JSON")


@check(
    aws="refused as MalformedDetail",
    matters="what we publish is an object by construction, and so is a command",
)
def a_detail_is_an_object(services: Services) -> str:
    """An event whose detail is a list."""
    return _put_events(services, "[]")


@check(
    aws="refused",
    matters="a pack has 60 KB at most, or one event: held by a test",
)
def an_entry_has_a_mebibyte_at_most(services: Services) -> str:
    """An event of more than 1 MiB."""
    answer = _put_events(services, json.dumps({"data": "x" * MIB}))
    return "accepted" if answer == "accepted" else "refused"


@check(aws="refused", matters="the relay packs ten at most, held by a test")
def ten_entries_are_put_at_once(services: Services) -> str:
    """Eleven events in one request."""
    answer = _put_events(services, "{}", times=11)
    return "accepted" if answer == "accepted" else "refused"


@check(aws="accepted", matters="a bus that is missing loses events silently: the stack makes both")
def a_bus_that_is_missing_is_not_noticed(services: Services) -> str:
    """An event for a bus that does not exist."""
    entry = {"EventBusName": "no-such-bus", "Source": "s", "DetailType": "t", "Detail": "{}"}
    return _result(services.client("events").put_events(Entries=[entry]))


@check(
    aws="1 failed: EventId, ErrorCode, EventId",
    matters="the relay looks at each entry's own result",
)
def an_entry_fails_by_itself(services: Services) -> str:
    """What is answered to an event without a source between two others."""
    bus = services.bus(ANYTHING, services.queue())
    entries = [
        {"EventBusName": bus, "DetailType": "t", "Detail": "{}", "Source": source}
        for source in ("s", "", "s")
    ]
    answer = services.client("events").put_events(Entries=entries)
    told = ["EventId" if each.get("EventId") else "ErrorCode" for each in answer["Entries"]]
    return f"{answer['FailedEntryCount']} failed: {', '.join(told)}"


@check(
    aws="account, detail, detail-type, id, region, resources, source, time, version",
    matters="handlers read it (`ledger.contracts.envelopes`)",
)
def an_event_comes_in_an_envelope(services: Services) -> str:
    """The fields of an event as a queue gets it."""
    return ", ".join(sorted(_delivered(services, "{}")))


@check(
    aws="s, t, 000000000000, the id that PutEvents gave",
    matters="who sent a command is part of what is recorded",
)
def an_envelope_says_who_put_it(services: Services) -> str:
    """Source, detail type, account and id of an event as a queue gets it."""
    queue = services.queue()
    bus = services.bus(ANYTHING, queue)
    entry = {"EventBusName": bus, "Source": "s", "DetailType": "t", "Detail": "{}"}
    put = services.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
    [body] = services.received(queue)
    found = json.loads(body)
    id_ = "the id that PutEvents gave" if found["id"] == put else "another id"
    return f"{found['source']}, {found['detail-type']}, {found['account']}, {id_}"


@check(
    aws="the same",
    matters="an event is hashed and shown as it was published",
)
def a_detail_comes_as_it_was_put(services: Services) -> str:
    """The order of fields, numbers and texts of a detail as a queue gets it."""
    detail = '{"b":1,"a":12345678901234567,"text":"ä\\u20ac\\n","none":null,"no":false,"list":[]}'
    found = _delivered(services, detail)["detail"]
    same = json.dumps(found) == json.dumps(json.loads(detail))
    return "the same" if same else json.dumps(found)


@check(
    aws="ab and b and c",
    matters="consumers are told by detail type, alerts by the verdicts in a pack",
)
def patterns_ask_for_details(services: Services) -> str:
    """Of packs with the verdicts a, b, c, a and b, and none, and one of another source, what comes
    of a rule that asks for the source and for an element with the verdict b or c."""
    queue = services.queue()
    pattern = {"source": ["s"], "detail": {"events": {"verdict": ["b", "c"]}}}
    bus = services.bus(pattern, queue)
    packs = [[{"verdict": each} for each in pack] for pack in ("a", "b", "c", "ab")]
    put = [("s", {"events": pack}) for pack in [*packs, [{}], []]]
    put += [("other", {"events": [{"verdict": "b"}]})]
    services.client("events").put_events(
        Entries=[
            {
                "EventBusName": bus,
                "Source": source,
                "DetailType": "t",
                "Detail": json.dumps(detail),
            }
            for source, detail in put
        ]
    )
    services.wait(1)
    found = [json.loads(body)["detail"]["events"] for body in services.received(queue)]
    return " and ".join(sorted("".join(one["verdict"] for one in pack) for pack in found))


@check(
    aws="those with any of the accounts",
    matters="subscribers choose by account, of which a payment has several",
    unasked={SIMULATION: "no subscription of the stack's own filters"},
)
def a_subscriber_filters_by_lists(services: Services) -> str:
    """The messages that a subscription gets whose filter names one value of a list attribute."""
    sns, url, topic = services.client("sns"), services.queue(), services.topic()
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=services.queue_arn(url),
        Attributes={"FilterPolicy": '{"account": ["a"]}', "RawMessageDelivery": "true"},
    )
    for accounts in (["b", "c"], ["a", "b"]):
        sns.publish(
            TopicArn=topic,
            Message=accounts[0],
            MessageAttributes={
                "account": {"DataType": "String.Array", "StringValue": json.dumps(accounts)}
            },
        )
    found = services.received(url)
    return "those with any of the accounts" if found == ["a"] else str(found)


@check(
    aws="both: text, list String.Array, one String",
    matters="the fan-out to webhooks reads the text, people's queues the attributes",
)
def a_topic_delivers_as_it_was_published(services: Services) -> str:
    """What two queues get of a message with attributes that asked for it as it is."""
    urls = [services.queue(), services.queue()]
    services.client("sns").publish(
        TopicArn=services.topic(*urls),
        Message="text",
        MessageAttributes={
            "one": {"DataType": "String", "StringValue": "1"},
            "list": {"DataType": "String.Array", "StringValue": '["a","b"]'},
        },
    )
    shown = set()
    for url in urls:
        [message] = services.messages(url)
        attributes = sorted(message.get("MessageAttributes", {}).items())
        types = ", ".join(f"{name} {value['DataType']}" for name, value in attributes)
        shown.add(f"{message['Body']}, {types}")
    return f"both: {shown.pop()}" if len(shown) == 1 else str(sorted(shown))


@check(aws="it does not come", matters="the notifications' handler gives none so many")
def a_raw_message_has_ten_attributes_at_most(services: Services) -> str:
    """What a queue gets of a message with eleven attributes that asked for it as it is."""
    url = services.queue()
    services.client("sns").publish(
        TopicArn=services.topic(url),
        Message="text",
        MessageAttributes={
            f"n{each}": {"DataType": "String", "StringValue": "1"} for each in range(11)
        },
    )
    services.wait(1)
    return "it comes" if services.received(url, seconds=0) else "it does not come"


@check(aws="ParameterValueInvalid", matters="what is unknown is left out of an alert's attributes")
def a_topic_takes_no_empty_attribute(services: Services) -> str:
    """A message for a topic with an empty attribute."""
    attributes = {"name": {"DataType": "String", "StringValue": ""}}
    topic = services.topic()
    return refusal(
        lambda: services.client("sns").publish(
            TopicArn=topic, Message="x", MessageAttributes=attributes
        )
    )


@check(aws="InvalidParameter", matters="a notification has 100 KB at most")
def a_message_of_a_topic_has_256_kib_at_most(services: Services) -> str:
    """A message of 256 KiB and a byte for a topic."""
    topic, message = services.topic(), "x" * (256 * 1024 + 1)
    return refusal(lambda: services.client("sns").publish(TopicArn=topic, Message=message))


@check(aws="BatchRequestTooLong", matters="the notifications' handler packs by bytes")
def a_batch_for_a_topic_has_256_kib_at_most(services: Services) -> str:
    """Two messages of 128 KiB and a byte for a topic in one request."""
    return _published(services, *["x" * (128 * 1024 + 1)] * 2)


@check(aws="TooManyEntriesInBatchRequest", matters="the notifications' handler packs by number")
def a_batch_for_a_topic_has_ten_at_most(services: Services) -> str:
    """Eleven messages for a topic in one request."""
    return _published(services, *"abcdefghijk")


@check(aws="done 0, 1; failed none", matters="every entry's own result is looked at")
def a_batch_for_a_topic_names_each(services: Services) -> str:
    """What is answered to two messages for a topic in one request."""
    answer = services.client("sns").publish_batch(
        TopicArn=services.topic(), PublishBatchRequestEntries=_entries("a", "b")
    )
    return results(answer)


@check(aws="NotFound", matters="the stack makes the topics")
def a_topic_that_is_missing_is_noticed(services: Services) -> str:
    """A message for a topic that does not exist."""
    topic = services.topic() + "-not"
    return refusal(lambda: services.client("sns").publish(TopicArn=topic, Message="x"))


def _published(services: Services, *messages: str) -> str:
    topic = services.topic()
    return refusal(
        lambda: services.client("sns").publish_batch(
            TopicArn=topic, PublishBatchRequestEntries=_entries(*messages)
        )
    )


def _entries(*messages: str) -> list[dict[str, str]]:
    return [{"Id": str(place), "Message": message} for place, message in enumerate(messages)]


def _delivered(services: Services, detail: str) -> dict[str, Any]:
    """An event with that detail, as a queue gets it."""
    queue = services.queue()
    bus = services.bus(ANYTHING, queue)
    entry = {"EventBusName": bus, "Source": "s", "DetailType": "t", "Detail": detail}
    services.client("events").put_events(Entries=[entry])
    [body] = services.received(queue)
    return dict(json.loads(body))


def _put_events(services: Services, detail: str, *, times: int = 1) -> str:
    bus = services.bus(ANYTHING, services.queue())
    entry = {"EventBusName": bus, "Source": "check", "DetailType": "t", "Detail": detail}
    try:
        answer = services.client("events").put_events(Entries=[entry] * times)
    except ClientError:
        return "refused"
    return _result(answer)


def _result(answer: Mapping[str, Any]) -> str:
    [result, *_] = answer["Entries"]
    return f"refused as {result['ErrorCode']}" if "ErrorCode" in result else "accepted"
