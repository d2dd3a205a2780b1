"""Whatever can go wrong silently has an alarm, and alarms reach people."""

from tests.template.templates import Resource, Templates, statements


def test_every_dead_letter_queue_has_an_alarm_on_the_first_message(templates: Templates) -> None:
    """One dead letter is enough."""
    dead_letter_queues = {name for name in templates.named("AWS::SQS::Queue") if "-dlq" in name}
    alarmed = _alarms(templates, "ApproximateNumberOfMessagesVisible")
    assert set(alarmed) == dead_letter_queues
    for alarm in alarmed.values():
        assert alarm.properties["Threshold"] == 0
        assert alarm.properties["Statistic"] == "Maximum"


def test_every_other_queue_has_an_alarm_on_its_age(templates: Templates) -> None:
    """A consumer that stands still or falls behind is noticed within minutes.

    A delivery that is put off for its endpoint's sake makes its queue look old and is no such news.
    """
    queues = {name for name in templates.named("AWS::SQS::Queue") if "-dlq" not in name}
    alarmed = _alarms(templates, "ApproximateAgeOfOldestMessage")
    assert set(alarmed) == queues
    for queue, alarm in alarmed.items():
        assert alarm.properties["Threshold"] == (3_600 if queue == "webhook-deliveries" else 300)


def test_the_queue_whose_messages_wait_in_flight_has_an_alarm_on_their_number(
    templates: Templates,
) -> None:
    """SQS stops handing out a standard queue at about 120,000: half of it is news."""
    alarmed = _alarms(templates, "ApproximateNumberOfMessagesNotVisible")
    assert {queue: alarm.properties["Threshold"] for queue, alarm in alarmed.items()} == {
        "webhook-deliveries": 60_000
    }


def test_every_function_has_alarms_on_errors_and_throttles(templates: Templates) -> None:
    """No function fails or is held back unseen."""
    functions = set(templates.named("AWS::Lambda::Function"))
    for metric in ("Errors", "Throttles"):
        alarmed = _alarms(templates, metric)
        assert set(alarmed) == functions
        for alarm in alarmed.values():
            assert alarm.properties["Threshold"] == 0
            assert alarm.properties["Statistic"] == "Sum"


def test_every_rule_has_alarms_on_failed_and_lost_deliveries(templates: Templates) -> None:
    """A rule of a bus of one's own has its metrics under both names: its bus's and its own."""
    rules = templates.named("AWS::Events::Rule")
    for metric in ("FailedInvocations", "InvocationsFailedToBeSentToDlq"):
        alarmed = _alarms(templates, metric)
        assert set(alarmed) == set(rules)
        for name, alarm in alarmed.items():
            [bus] = [
                dimension["Value"]
                for dimension in alarm.properties["Dimensions"]
                if dimension["Name"] == "EventBusName"
            ]
            assert bus.removeprefix(templates.prefix) == templates.text(
                "service", rules[name].properties["EventBusName"]
            )


def test_every_topic_has_alarms_on_failed_and_lost_deliveries(templates: Templates) -> None:
    """But for the alarms' own: what fails there could not be told there."""
    topics = set(templates.named("AWS::SNS::Topic")) - {"alarms"}
    for metric in ("NumberOfNotificationsFailed", "NumberOfNotificationsFailedToRedriveToDlq"):
        assert set(_alarms(templates, metric)) == topics


def test_the_relay_is_watched_for_lag_loss_and_tampering(templates: Templates) -> None:
    """Late events, events given up or dropped, and a changed past each have an alarm."""
    assert set(_alarms(templates, "IteratorAge")) == {"relay"}
    [relay] = [
        mapping.logical_id
        for mapping in templates.all("AWS::Lambda::EventSourceMapping")
        if "StartingPosition" in mapping.properties
    ]
    for metric in ("OnFailureDestinationDeliveredEventCount", "DroppedEventCount"):
        assert set(_alarms(templates, metric)) == {relay}
    [security] = _alarms(templates, "SecurityAlarm").values()
    assert security.properties["Namespace"] == f"Ledger/{templates.stage}"
    assert security.properties["Dimensions"] == [{"Name": "service", "Value": "Relay"}]
    assert security.properties["Threshold"] == 0


def test_clock_skew_is_watched_where_commands_are_decided(templates: Templates) -> None:
    """All functions that commit report refusals for a clock that is behind."""
    alarmed = _alarms(templates, "ClockSkewRefused")
    assert set(alarmed) == {"Api", "Commands", "Expiry"}
    namespaces = {alarm.properties["Namespace"] for alarm in alarmed.values()}
    assert namespaces == {f"Ledger/{templates.stage}"}  # two stages in one account ring apart


def test_holds_that_stay_and_sweeps_that_fail_to_appear_are_watched(templates: Templates) -> None:
    """A hold that nobody releases is told of by its age; sweeps that do not take place tell of
    nothing, so that their absence must."""
    [late] = _alarms(templates, "OldestDueSeconds").values()
    assert late.properties["Dimensions"] == [{"Name": "service", "Value": "Expiry"}]
    assert late.properties["Statistic"] == "Maximum"
    assert 120 < late.properties["Threshold"] <= 600  # two periods of the schedule are no news
    [silent] = _alarms(templates, "HoldsExpired").values()
    assert silent.properties["Dimensions"] == late.properties["Dimensions"]
    assert silent.properties["Statistic"] == "SampleCount"
    assert silent.properties["ComparisonOperator"] == "LessThanThreshold"
    assert silent.properties["Threshold"] == 1
    assert silent.properties["TreatMissingData"] == "breaching"
    assert silent.properties["EvaluationPeriods"] == 5
    namespaces = {alarm.properties["Namespace"] for alarm in (late, silent)}
    assert namespaces == {f"Ledger/{templates.stage}"}


def test_server_errors_of_the_api_are_watched(templates: Templates) -> None:
    """The alarm counts them under the name that the API really has."""
    [api] = templates.all("AWS::ApiGateway::RestApi")
    assert set(_alarms(templates, "5XXError")) == {
        api.properties["Name"].removeprefix(templates.prefix)
    }


def test_every_alarm_reaches_the_topic_when_it_starts_and_ends(templates: Templates) -> None:
    """A metric without data is quiet, since most count only what is wrong; but for sweeps, of which
    there must be one every minute."""
    topic = templates.named("AWS::SNS::Topic")["alarms"]
    for alarm in templates.all("AWS::CloudWatch::Alarm"):
        assert alarm.properties["AlarmActions"] == [{"Ref": topic.logical_id}]
        assert alarm.properties["OKActions"] == [{"Ref": topic.logical_id}]
        assert alarm.properties["Period"] == 60
        assert alarm.properties["AlarmDescription"]
        if templates.name(alarm) == "expiry-silent":
            continue
        assert alarm.properties["TreatMissingData"] == "notBreaching"
        assert alarm.properties["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm.properties["EvaluationPeriods"] <= 3


def test_cloudwatch_may_publish_alarms(templates: Templates) -> None:
    """The topic's own policy lets alarms of this account in: it replaces the default that did."""
    topic = templates.named("AWS::SNS::Topic")["alarms"]
    [policy] = [
        policy
        for policy in templates.all("AWS::SNS::TopicPolicy")
        if policy.properties["Topics"] == [{"Ref": topic.logical_id}]
    ]
    [allowed] = [
        statement
        for statement in statements(policy.properties["PolicyDocument"])
        if statement["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == ["sns:Publish"]
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def _alarms(templates: Templates, metric: str) -> dict[str, Resource]:
    """The alarms on a metric, by the resource they watch."""
    found = {}
    for alarm in templates.all("AWS::CloudWatch::Alarm"):
        if alarm.properties["MetricName"] == metric:
            [*_, watched] = alarm.properties["Dimensions"]
            name = templates.text(alarm.stack, watched["Value"]).removeprefix(templates.prefix)
            assert name not in found
            found[name] = alarm
    return found
