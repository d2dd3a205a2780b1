"""The wiring of the simulated world is that of the template, whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulation.wiring.model import Wiring
from simulation.wiring.stack import read_wiring
from simulation.wiring.template import wiring_of
from simulation.wiring.values import UnknownValueError

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def wiring() -> Wiring:
    """The wiring of this very stack."""
    return read_wiring(ROOT)


def test_everything_that_is_named_is_there(wiring: Wiring) -> None:
    """Each mapping, rule, route, schedule and dead-letter queue names parts that there are."""
    queues = {queue.name for queue in wiring.queues}
    functions = {function.name for function in wiring.functions}
    assert {one.queue for one in wiring.queue_mappings} <= queues
    assert {one.queue for one in wiring.rules} | {
        one.dead_letters for one in wiring.rules
    } <= queues
    assert {one.queue for one in wiring.subscriptions} <= queues
    assert {one.dead_letters for one in wiring.queues if one.dead_letters} <= queues
    assert {one.bus for one in wiring.rules} <= set(wiring.buses)
    assert {one.topic_arn for one in wiring.subscriptions} <= set(wiring.topics)
    assert {one.table for one in wiring.stream_mappings} <= {one.name for one in wiring.tables}
    assert {one.failures for one in wiring.stream_mappings} <= set(wiring.buckets)
    called = {one.function for one in wiring.queue_mappings}
    called |= {one.function for one in wiring.stream_mappings}
    called |= {one.function for one in wiring.schedules} | {one.function for one in wiring.routes}
    assert called == functions


def test_what_functions_are_told_is_resolved(wiring: Wiring) -> None:
    """Environments hold plain names and URLs of what there is, and functions that share a table
    agree about it."""
    for function in wiring.functions:
        assert all(isinstance(value, str) for value in function.environment.values())
    tables = {table.name for table in wiring.tables}
    names = ("EVENTS_TABLE", "STATES_TABLE", "BALANCES_TABLE", "HISTORY_TABLE", "PAYMENTS_TABLE")
    assert {wiring.variable(name) for name in names} <= tables
    urls = {queue.url for queue in wiring.queues}
    assert wiring.variable("SYSTEM_COMMANDS_QUEUE_URL") in urls
    assert wiring.variable("LEDGER_BUS") in wiring.buses
    with pytest.raises(LookupError):
        wiring.variable("POWERTOOLS_SERVICE_NAME")


def test_the_second_reading_is_the_kept_one(wiring: Wiring) -> None:
    """What was synthesised once is read again without a synthesis, and is the same."""
    assert read_wiring(ROOT) == wiring


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}


def read(*templates: dict[str, Any]) -> Wiring:
    return wiring_of(templates, account="1", region="r")


def test_values_are_resolved_across_stacks() -> None:
    """References, attributes, imports, joins, splits and substitutions become plain values."""
    data = template(Queue=QUEUE)
    data["Outputs"] = {
        "Out": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}, "Export": {"Name": "data:queue"}}
    }
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "a.b.handler",
            "Timeout": 3,
            "Environment": {
                "Variables": {
                    "POWERTOOLS_SERVICE_NAME": "F",
                    "ARN": {"Fn::ImportValue": "data:queue"},
                    "PART": {
                        "Fn::Select": [2, {"Fn::Split": [":", {"Fn::ImportValue": "data:queue"}]}]
                    },
                    "JOINED": {"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]},
                    "SUBSTITUTED": {"Fn::Sub": "x-${AWS::AccountId}"},
                }
            },
        },
    }
    (found,) = read(data, template(Function=function)).functions
    assert found.environment == {
        "POWERTOOLS_SERVICE_NAME": "F",
        "ARN": "arn:aws:sqs:r:1:q",
        "PART": "sqs",
        "JOINED": "a-r",
        "SUBSTITUTED": "x-1",
    }


@pytest.mark.parametrize(
    "resource",
    [
        {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "n", "State": "DISABLED", "Targets": [{}]},
        },
        {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "n",
                "State": "ENABLED",
                "Targets": [{"Arn": "arn:aws:lambda:r:1:function:f"}],
            },
        },
        {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"Protocol": "email", "Endpoint": "someone"},
        },
        {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {"ScheduleExpression": "cron(0 0 * * ? *)"},
        },
        {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"EventSourceArn": "arn:aws:sqs:r:1:q", "FunctionName": "unknown"},
        },
        {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::GetAZs": ""}}},
    ],
)
def test_what_this_world_does_not_know_is_refused(resource: dict[str, Any]) -> None:
    """A part that would be simulated wrongly is an error, not left out."""
    with pytest.raises(UnknownValueError):
        read(template(Part=resource))
