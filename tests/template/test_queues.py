"""Queues, their dead letters, and how functions are fed from them."""

from collections.abc import Iterable

from consumers.webhooks import delivery, posting, schedule
from ledger.contracts.events import EVENT_TYPES
from tests.template.templates import Json, Templates, statements

DEAD_LETTERS = {
    "commands": "commands-dlq",
    "commands.fifo": "commands-dlq.fifo",
    "system-commands": "system-commands-dlq",
    "balances": "balances-dlq",
    "history": "history-dlq",
    "payments": "payments-dlq",
    "notifications": "notifications-dlq",
    "fraud": "fraud-dlq",
    "webhooks": "webhooks-dlq",
    "webhook-deliveries": "webhook-deliveries-dlq",
}
BUS_DEAD_LETTERS = {"bus": "bus-dlq", "ingress": "commands-dlq"}
DAY_S = 86_400


def test_every_queue_has_a_dead_letter_queue_or_is_one(templates: Templates) -> None:
    """What cannot be handled is kept: by a queue's own DLQ, a bus's, never by none."""
    queues = templates.named("AWS::SQS::Queue")
    found = {
        name: templates.text(queue.stack, queue.properties["RedrivePolicy"]["deadLetterTargetArn"])
        for name, queue in queues.items()
        if "RedrivePolicy" in queue.properties
    }
    assert found == {name: f"{dlq}.Arn" for name, dlq in DEAD_LETTERS.items()}
    without = set(queues) - set(found)
    assert without == {*DEAD_LETTERS.values(), *BUS_DEAD_LETTERS.values()}


def test_messages_die_after_a_finite_number_of_receives(templates: Templates) -> None:
    """A poisoned message is retried a few times, not for days, and not just once."""
    for queue in templates.all("AWS::SQS::Queue"):
        if "RedrivePolicy" in queue.properties:
            assert 3 <= queue.properties["RedrivePolicy"]["maxReceiveCount"] <= 20


def test_a_hot_account_has_more_tries_than_others(templates: Templates) -> None:
    """Whoever loses a race for an account loses receives that no fault of the message costs."""
    queues = templates.named("AWS::SQS::Queue")
    receives = {
        name: queues[name].properties["RedrivePolicy"]["maxReceiveCount"]
        for name in ("balances", "fraud")
    }
    assert receives == {"balances": 5, "fraud": 8}


def test_dead_letters_outlive_what_they_waited_before(templates: Templates) -> None:
    """A dead letter's age counts from its first queue, and leaves days to look at it."""
    for name, queue in templates.named("AWS::SQS::Queue").items():
        days = queue.properties["MessageRetentionPeriod"] / DAY_S
        assert days == (4 if name in DEAD_LETTERS else 14), name


def test_ordered_commands_stay_ordered_and_fast(templates: Templates) -> None:
    """The FIFO queue orders and counts by message group, and senders give the deduplication id."""
    queues = templates.named("AWS::SQS::Queue")
    fifo = queues["commands.fifo"].properties
    assert fifo["FifoQueue"] is True
    assert fifo["ContentBasedDeduplication"] is False
    assert fifo["DeduplicationScope"] == "messageGroup"
    assert fifo["FifoThroughputLimit"] == "perMessageGroupId"
    assert queues["commands-dlq.fifo"].properties["FifoQueue"] is True
    assert {name for name, queue in queues.items() if "FifoQueue" in queue.properties} == {
        "commands.fifo",
        "commands-dlq.fifo",
    }


def test_queues_feed_functions_as_declared(templates: Templates) -> None:
    """Batches, windows and concurrency of each mapping; failures are reported one by one."""
    concurrency = {"dev": (2, 2, 2), "prod": (50, 100, 50)}[templates.stage]

    def gathered(size: int) -> tuple[int, int | None]:
        # None where there may be little traffic: a window, however short, can then take 20 s.
        return {"dev": (10, None), "prod": (size, 1)}[templates.stage]

    expected = {
        "commands": ("commands", *gathered(100), concurrency[0]),
        "commands.fifo": ("commands", 10, None, concurrency[1]),  # the most there is for FIFO
        "system-commands": ("commands", *gathered(100), {"dev": 2, "prod": 20}[templates.stage]),
        "balances": ("balances", *gathered(25), concurrency[2]),
        "history": ("history", *gathered(25), concurrency[2]),
        "payments": ("payments", *gathered(25), concurrency[2]),
        "notifications": ("notifications", *gathered(10), {"dev": 2, "prod": 20}[templates.stage]),
        "fraud": ("fraud", *gathered(10), {"dev": 2, "prod": 4}[templates.stage]),
    }
    expected["webhooks"] = ("webhooks", *gathered(10), {"dev": 2, "prod": 20}[templates.stage])
    # No window: a delivery is not kept waiting for others.
    deliverers = {"dev": 2, "prod": 50}[templates.stage]
    expected["webhook-deliveries"] = ("webhookdelivery", 10, None, deliverers)
    found = {}
    for queue, mapping in _queue_mappings(templates).items():
        found[queue] = (
            _function_of(templates, mapping),
            mapping["BatchSize"],
            mapping.get("MaximumBatchingWindowInSeconds"),
            mapping["ScalingConfig"]["MaximumConcurrency"],
        )
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found == expected


def test_messages_stay_invisible_while_a_function_may_still_work(templates: Templates) -> None:
    """The visibility time-out is at least six times the function's, as Lambda asks for."""
    functions = templates.named("AWS::Lambda::Function")
    queues = templates.named("AWS::SQS::Queue")
    for queue, mapping in _queue_mappings(templates).items():
        timeout = functions[_function_of(templates, mapping)].properties["Timeout"]
        assert queues[queue].properties["VisibilityTimeout"] >= 6 * timeout


def test_the_relay_reads_its_stream_without_loss(templates: Templates) -> None:
    """From the beginning, bisecting, with finite retries, and a bucket for what is given up."""
    [mapping] = [
        resource.properties
        for resource in templates.all("AWS::Lambda::EventSourceMapping")
        if "StartingPosition" in resource.properties
    ]
    assert templates.text("service", mapping["EventSourceArn"]) == "events.StreamArn"
    assert _function_of(templates, mapping) == "relay"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 0 < mapping["MaximumRetryAttempts"] <= 1_000
    assert 3_600 <= mapping["MaximumRecordAgeInSeconds"] < DAY_S  # of the stream's own
    assert mapping["ParallelizationFactor"] > 1
    # How long events wait for others that share an entry of the bus, and a message, with them.
    window = {"dev": 0, "prod": 1}[templates.stage]
    assert mapping["MaximumBatchingWindowInSeconds"] == window
    destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert templates.text("service", destination).startswith("relay-failures-")
    assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}


def test_rules_bring_whole_events_to_queues_with_a_way_out(templates: Templates) -> None:
    """Each rule feeds one queue, unchanged, and what it cannot deliver goes to that queue's DLQ."""
    of_accounts = {
        name for name, event in EVENT_TYPES.items() if "accounts" in event.__struct_fields__
    }
    of_payments = {name for name in EVENT_TYPES if name.startswith("payment.")}

    def events(types: Iterable[str]) -> Json:
        return {"source": ["ledger"], "detail-type": sorted(types)}

    flagged = {
        "source": ["ledger"],
        "detail-type": ["payment.screened"],
        "detail": {"events": {"verdict": ["review", "block"]}},
    }
    expected = {
        "ingress": ("ingress", {"account": [{"Ref": "AWS::AccountId"}]}, "commands"),
        "balances": ("bus", events({*of_accounts, "metadata.set"}), "balances"),
        "history": ("bus", events(of_accounts), "history"),
        "payments": (
            "bus",
            events({*of_payments, "metadata.set", "command.rejected"} - {"payment.screened"}),
            "payments",
        ),
        "notifications": ("bus", events(set(EVENT_TYPES) - {"payment.screened"}), "notifications"),
        "webhooks": ("bus", events(set(EVENT_TYPES) - {"payment.screened"}), "webhooks"),
        "fraud": ("bus", events(of_accounts), "fraud"),
        "fraud-reviews": ("bus", flagged, "fraud"),
    }
    found = {}
    for name, rule in templates.named("AWS::Events::Rule").items():
        [target] = rule.properties["Targets"]
        assert not {"InputPath", "Input", "InputTransformer"} & set(target)
        queue = templates.text(rule.stack, target["Arn"]).removesuffix(".Arn")
        dead_letters = templates.text(rule.stack, target["DeadLetterConfig"]["Arn"])
        assert dead_letters == f"{DEAD_LETTERS[queue]}.Arn"
        assert target["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": DAY_S,
            "MaximumRetryAttempts": 185,
        }
        bus = templates.text(rule.stack, rule.properties["EventBusName"])
        pattern = rule.properties["EventPattern"]
        if "detail-type" in pattern:  # in any order, each once
            pattern = {**pattern, "detail-type": sorted(pattern["detail-type"])}
        found[name] = (bus, pattern, queue)
    assert found == expected


def test_every_type_of_event_is_taken_by_somebody(templates: Templates) -> None:
    """A type that no rule names would be published to nobody."""
    taken = {
        name
        for rule in templates.all("AWS::Events::Rule")
        for name in rule.properties["EventPattern"].get("detail-type", ())
    }
    assert taken == set(EVENT_TYPES)


def test_only_the_rule_may_send_into_a_queue_and_its_dead_letter_queue(
    templates: Templates,
) -> None:
    """Queue policies let EventBridge in for one rule (a DLQ: for its bus, too), and nobody else."""
    senders: dict[str, set[str]] = {}
    for policy in templates.all("AWS::SQS::QueuePolicy"):
        [queue] = policy.properties["Queues"]
        name = templates.text(policy.stack, queue)
        for statement in statements(policy.properties["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                assert statement["Action"] == ["sqs:SendMessage"]
                source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
                named = source["Fn::GetAtt"][0] if "Fn::GetAtt" in source else source["Ref"]
                target = templates.find(policy.stack, named)
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                sender = f"{target.type.rpartition('::')[2]} {templates.name(target)}"
                senders.setdefault(name, set()).add(sender)
    assert senders == {
        "commands": {"Rule ingress"},
        "commands-dlq": {"Rule ingress", "EventBus ingress"},
        "balances": {"Rule balances"},
        "balances-dlq": {"Rule balances"},
        "history": {"Rule history"},
        "history-dlq": {"Rule history"},
        "payments": {"Rule payments"},
        "payments-dlq": {"Rule payments"},
        "notifications": {"Rule notifications"},
        "notifications-dlq": {"Rule notifications"},
        "fraud": {"Rule fraud", "Rule fraud-reviews"},
        "fraud-dlq": {"Rule fraud", "Rule fraud-reviews"},
        "bus-dlq": {"EventBus bus"},
        "webhooks": {"Rule webhooks"},
        "webhooks-dlq": {"Rule webhooks"},
    }


def test_deliveries_are_tried_as_often_as_their_schedule_says(templates: Templates) -> None:
    """The queue gives up with the function, not before it; all its waits fit into the retention."""
    queue = templates.named("AWS::SQS::Queue")["webhook-deliveries"].properties
    assert queue["RedrivePolicy"]["maxReceiveCount"] == schedule.RECEIVES_MAX
    longest_s = sum(schedule.DELAYS_SECONDS) * (1 + schedule.JITTER)
    assert longest_s < queue["MessageRetentionPeriod"] / 2


def test_the_delivery_function_may_begin_what_it_has_the_time_for(templates: Templates) -> None:
    """Ten deliveries of the longest duration, one after another, and the reserve for the last."""
    function = templates.named("AWS::Lambda::Function")["webhookdelivery"].properties
    batch = _queue_mappings(templates)["webhook-deliveries"]["BatchSize"]
    needed_s = batch * posting.TOTAL_SECONDS + delivery.RESERVED_MILLISECONDS / 1_000
    assert function["Timeout"] >= needed_s


def test_buses_keep_what_they_cannot_encrypt(templates: Templates) -> None:
    """An encrypted bus has a DLQ: an event that meets a key error would be lost otherwise."""
    found = {
        name: templates.text(bus.stack, bus.properties["DeadLetterConfig"]["Arn"])
        for name, bus in templates.named("AWS::Events::EventBus").items()
    }
    assert found == {bus: f"{queue}.Arn" for bus, queue in BUS_DEAD_LETTERS.items()}


def _queue_mappings(templates: Templates) -> dict[str, Json]:
    """The mappings from queues, by the queue's name."""
    return {
        templates.text(mapping.stack, mapping.properties["EventSourceArn"]).removesuffix(
            ".Arn"
        ): mapping.properties
        for mapping in templates.all("AWS::Lambda::EventSourceMapping")
        if "StartingPosition" not in mapping.properties
    }


def _function_of(templates: Templates, mapping: Json) -> str:
    """The function behind the alias `live` that the mapping invokes; nothing else will do."""
    reference = mapping["FunctionName"]
    if "Fn::Join" in reference:  # "<function's name>:live", cut out of the alias's ARN
        [parts] = reference["Fn::Join"][1:]
        assert parts[1] == ":live"
        reference = parts[0]["Fn::Select"][1]["Fn::Split"][1]
    alias = templates.find("service", reference["Ref"])
    assert alias.type == "AWS::Lambda::Alias"
    assert alias.properties["Name"] == "live"
    return templates.text("service", alias.properties["FunctionName"])
