"""The dashboard: a payment's path from top to bottom, with what is normal written beside it.

Everything on it follows from the lists of the other stacks: a new function, queue, rule or table
appears by itself. Its words point to sections of docs/operations.md by their titles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as core
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.api import LedgerApi
from cdk.patterns.event_store import EventStore
from cdk.patterns.expiry import Expiry
from cdk.patterns.metrics import (
    function_metric,
    gigabyte_seconds_metric,
    ledger_metric,
    metric,
    queue_metric,
    quotient_metric,
    rule_metric,
    topic_metric,
    write_units_metric,
)
from cdk.patterns.python_function import PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery
from cdk.patterns.relay import Relay
from cdk.patterns.table import LedgerTable

_COLUMNS = 24  # of CloudWatch's grid
_GRAPH_COLUMNS = 8
_GRAPH_ROWS = 6
_WORDS_ROWS = 3
_ALARMS_A_ROW = 8
_SUM = cloudwatch.Stats.SUM
_MAXIMUM = cloudwatch.Stats.MAXIMUM
_MEDIAN = cloudwatch.Stats.percentile(50)
_P99 = cloudwatch.Stats.percentile(99)

Metrics = Sequence[cloudwatch.IMetric]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """All that the dashboard shows, each kind in the order in which it is shown."""

    api: LedgerApi
    deciders: Sequence[PythonFunction]  # those that commit commands, and of them:
    api_function: PythonFunction
    commands: PythonFunction
    expiry: Expiry
    store: EventStore
    relay: Relay
    consumers: Sequence[PythonFunction]  # of published events: they know how late they are
    fanout: PythonFunction  # finds which webhooks want a message
    deliverer: PythonFunction  # sends them
    topics: Sequence[str]  # the names of those that others subscribe to
    functions: Sequence[PythonFunction]
    entrances: Sequence[BufferedQueue]  # queues of commands
    queues: Sequence[BufferedQueue]
    dead_letters: Sequence[str]  # the names of dead-letter queues that belong to no queue
    deliveries: Sequence[Delivery]
    tables: Sequence[LedgerTable]
    alarms: Sequence[cloudwatch.IAlarm]


class PathDashboard(Construct):
    """One dashboard a stage: whether money moves, where it waits, what was lost, what it costs."""

    def __init__(self, scope: Construct, id: str, *, config: StageConfig, watched: Watched) -> None:
        super().__init__(scope, id)
        self.dashboard_name = config.prefix
        self._config, self._watched = config, watched
        self._dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self.dashboard_name,
            default_interval=core.Duration.hours(3),
        )
        for section in (
            *(self._alarms, self._intake, self._decisions, self._holds, self._publication),
            *(self._consumption, self._telling, self._failures, self._costs),
        ):
            section()

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        region = core.Aws.REGION
        return (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={region}#dashboards/dashboard/{self.dashboard_name}"
        )

    def _alarms(self) -> None:
        self._words(
            f"# Ledger {self._config.stage}: the path of a payment",
            "Taken in, decided, published, consumed: from top to bottom. **Normal:** every alarm "
            "is green. What each means and what to do: docs/operations.md, *When an alarm rings*.",
        )
        alarms = self._watched.alarms
        self._dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Alarms",
                alarms=list(alarms),
                width=_COLUMNS,
                height=2 + len(alarms) // _ALARMS_A_ROW,
            )
        )

    def _intake(self) -> None:
        self._words(
            "## 1 · Taken in",
            "**Normal:** no 5xx. 4xx are refusals, and follow what callers send. A queue passes on "
            "what it receives within seconds. Why a command was refused: docs/errors.md.",
        )
        self._graphs(
            {
                "REST: requests, errors": [
                    self._of_api("Count", _SUM, "requests"),
                    self._of_api("4XXError", _SUM, "4xx"),
                    self._of_api("5XXError", _SUM, "5xx"),
                ],
                "REST: latency": [
                    self._of_api("Latency", _MEDIAN, "median"),
                    self._of_api("Latency", _P99, "99 %"),
                ],
                "Commands received by queue": [
                    queue_metric("NumberOfMessagesSent", name, _SUM, label=self._short(name))
                    for name in (queue.queue_name for queue in self._watched.entrances)
                ],
            }
        )

    def _decisions(self) -> None:
        watched = self._watched
        deciders, api, commands = watched.deciders, watched.api_function, watched.commands
        self._words(
            "## 2 · Decided and committed",
            "**Normal:** a few conflicts where payments share an account, each decided again; no "
            "refusal for clock skew; of what is remembered, less than 5 % stale. Buried commands "
            "lie in a dead-letter queue with their reason: docs/operations.md, *When an alarm "
            "rings*. What shares a transaction: docs/group-commit.md, *What a transaction holds*.",
        )
        self._graphs(
            {
                "Decided": [_ledger("CommandsDecided", function) for function in deciders],
                "Refused for good": [
                    *(
                        _ledger("CommandsRejected", each, f"{_name(each)} rejected")
                        for each in (api, commands)
                    ),
                    _ledger("CommandsMalformed", api, "api malformed"),
                    _ledger("CommandsMismatched", api, "api mismatched"),
                    _ledger("CommandsBuried", commands, "commands buried"),
                ],
                "Conflicts and clock skew": [
                    _ledger(name, each, f"{_name(each)} {word}")
                    for each in deciders
                    for name, word in (
                        ("CommitConflicts", "conflicts"),
                        ("ClockSkewRefused", "skew"),
                    )
                ],
                "Commands in a transaction of several": [
                    quotient_metric("CommandsGrouped", "TransactionsCommitted", each)
                    for each in (api, commands)
                ],
                "States remembered, and of them stale": [
                    _ledger(name, each, f"{_name(each)} {word}")
                    for each in (api, commands)
                    for name, word in (("CacheHits", "used"), ("CacheStale", "stale"))
                ],
            }
        )

    def _holds(self) -> None:
        sweeper = self._watched.expiry.function
        self._words(
            "## 3 · Released",
            "**Normal:** a sweep a minute; a hold is released within two minutes of its expiry. "
            "Until then its money is held, and no capture takes it. What to do where holds stay: "
            "docs/operations.md, *When an alarm rings*.",
        )
        self._graphs(
            {
                "Holds that expired": [
                    _ledger("HoldsExpired", sweeper, "released"),
                    _ledger("HoldsNotExpired", sweeper, "not released, yet"),
                ],
                "Age of the oldest hold that is due, s": [
                    ledger_metric("OldestDueSeconds", sweeper, _MAXIMUM, label="age"),
                ],
                "Sweeps": [
                    ledger_metric(
                        *("HoldsExpired", sweeper, cloudwatch.Stats.SAMPLE_COUNT), label="done"
                    ),
                ],
            }
        )

    def _publication(self) -> None:
        relay = self._watched.relay
        mapping = {"EventSourceMappingUUID": relay.mapping.ref}
        self._words(
            "## 4 · Published",
            "**Normal:** the relay's age stays below a second or two; nothing is given up or "
            "dropped, and no rule fails. What was not published can be: docs/operations.md, "
            "*Something is missing in a projection*.",
        )
        self._graphs(
            {
                "Relay: age of the oldest record": [
                    function_metric("IteratorAge", relay.function, _MAXIMUM, label="age"),
                ],
                "Relay: events": [
                    _ledger("EventsPublished", relay.function, "published"),
                    _ledger("EventsNotPublished", relay.function, "not published, yet"),
                    metric(
                        *("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", mapping),
                        label="given up",
                    ),
                    metric("AWS/Lambda", "DroppedEventCount", mapping, label="dropped"),
                    _ledger("SecurityAlarm", relay.function, "changed or removed"),
                ],
                "Bus: failed deliveries by rule": [
                    rule_metric(name, rule.bus_name, rule.rule_name, label=f"{short} {word}")
                    for rule in self._watched.deliveries
                    for short in (self._short(rule.rule_name),)
                    for name, word in (
                        ("FailedInvocations", "failed"),
                        ("InvocationsSentToDlq", "dead-lettered"),
                        ("InvocationsFailedToBeSentToDlq", "lost"),
                    )
                ],
            }
        )

    def _consumption(self) -> None:
        queues, consumers = self._watched.queues, self._watched.consumers
        self._words(
            "## 5 · Consumed",
            "**Normal:** ages and lags of seconds, depths that return to zero. A lag is the time "
            "from the ledger's record to its effect. An age that grows is a consumer that is down "
            "or too slow: docs/operations.md, *When an alarm rings*.",
        )
        self._graphs(
            {
                "Queues: age of the oldest message": [
                    self._of_queue("ApproximateAgeOfOldestMessage", each.queue_name)
                    for each in queues
                ],
                "Queues: messages waiting": [
                    self._of_queue("ApproximateNumberOfMessagesVisible", each.queue_name)
                    for each in queues
                ],
                "Consumers: lag behind the ledger": [
                    ledger_metric("LagMilliseconds", each, _MAXIMUM, label=_name(each))
                    for each in consumers
                ],
            }
        )

    def _telling(self) -> None:
        fanout, deliverer = self._watched.fanout, self._watched.deliverer
        self._words(
            "## 6 · Told to others",
            "**Normal:** what is published to a topic is delivered. A webhook whose endpoint is "
            "down is tried again for 28 hours, and only then buried: docs/webhooks.md, "
            "*Operating*. Who may subscribe to a topic: docs/notifications.md, *Subscribe*.",
        )
        self._graphs(
            {
                "Topics: published and delivered": [
                    topic_metric(name, topic, label=f"{self._short(topic)} {word}")
                    for topic in self._watched.topics
                    for name, word in (
                        ("NumberOfMessagesPublished", "published"),
                        ("NumberOfNotificationsDelivered", "delivered"),
                    )
                ],
                "Topics: not delivered": [
                    topic_metric(name, topic, label=f"{self._short(topic)} {word}")
                    for topic in self._watched.topics
                    for name, word in (
                        ("NumberOfNotificationsFailed", "failed"),
                        ("NumberOfNotificationsFailedToRedriveToDlq", "lost"),
                    )
                ],
                "Webhooks": [
                    _ledger("DeliveriesQueued", fanout, "wanted"),
                    _ledger("WebhooksDelivered", deliverer, "delivered"),
                    _ledger("WebhooksBuried", deliverer, "buried"),
                ],
            }
        )

    def _failures(self) -> None:
        dead = [queue.dead_letter_name for queue in self._watched.queues]
        functions = self._watched.functions
        self._words(
            "## 7 · Failed",
            "**Normal:** nothing at all. A message that failed comes back by itself; a dead letter "
            "waits for a person: docs/operations.md, *When an alarm rings*.",
        )
        self._graphs(
            {
                "Dead letters": [
                    self._of_queue("ApproximateNumberOfMessagesVisible", name)
                    for name in (*dead, *self._watched.dead_letters)
                ],
                "Messages that failed and come back": [
                    _ledger("MessagesFailed", each)
                    for each in functions
                    if each.drains and each not in self._watched.deciders
                ],
                "Functions: errors and throttles": [
                    function_metric(name, each, label=f"{_name(each)} {name.lower()}")
                    for name in ("Errors", "Throttles")
                    for each in functions
                ],
            }
        )

    def _costs(self) -> None:
        self._words(
            "## 8 · What drives the cost",
            "**Normal:** everything follows the number of commands. A two-legged payment takes 6 "
            "write units in events and states; more is conflicts, or long ids: "
            "docs/architecture.md, *Event store: two tables, one transaction*.",
        )
        watched = self._watched
        self._graphs(
            {
                "Write units by table": [
                    write_units_metric(table.fixed_name, label=self._short(table.fixed_name))
                    for table in watched.tables
                ],
                "Lambda: GB-seconds by function": [
                    gigabyte_seconds_metric(each) for each in watched.functions
                ],
                "Lambda: invocations": [
                    function_metric("Invocations", each, label=_name(each))
                    for each in watched.functions
                ],
                "Event bus: deliveries by rule": [
                    rule_metric(
                        *("Invocations", rule.bus_name, rule.rule_name),
                        label=self._short(rule.rule_name),
                    )
                    for rule in watched.deliveries
                ],
                "Logs: bytes by function": [
                    metric(
                        *("AWS/Logs", "IncomingBytes", {"LogGroupName": each.log_group_name}),
                        label=_name(each),
                    )
                    for each in watched.functions
                ],
                "For each command decided": self._each_command(),
            }
        )

    def _each_command(self) -> Metrics:
        """What a command costs on average: the figure to watch after a release."""
        watched = self._watched
        decided = {
            f"decided{place}": ledger_metric("CommandsDecided", function)
            for place, function in enumerate(watched.deciders)
        }
        units = {
            f"units{place}": write_units_metric(table.fixed_name)
            for place, table in enumerate((watched.store.events, watched.store.states))
        }

        def over_commands(label: str, parts: dict[str, cloudwatch.IMetric]) -> cloudwatch.IMetric:
            return cloudwatch.MathExpression(
                # A minute without a command has no average: CloudWatch drops a division by zero.
                expression=f"SUM([{', '.join(parts)}]) / SUM([{', '.join(decided)}])",
                using_metrics={**decided, **parts},
                label=label,
                period=core.Duration.minutes(1),
            )

        published = ledger_metric("EventsPublished", watched.relay.function)
        invocations = {
            f"invocations{place}": function_metric("Invocations", function)
            for place, function in enumerate(watched.functions)
        }
        return [
            over_commands("write units", dict(units)),
            over_commands("events published", {"published": published}),
            over_commands("function invocations", dict(invocations)),
        ]

    def _words(self, title: str, text: str) -> None:
        self._dashboard.add_widgets(
            cloudwatch.TextWidget(markdown=f"{title}\n{text}", width=_COLUMNS, height=_WORDS_ROWS)
        )

    def _graphs(self, graphs: dict[str, Metrics]) -> None:
        """Graphs in rows of three; all count by the minute, and from zero."""
        self._dashboard.add_widgets(
            *(
                cloudwatch.GraphWidget(
                    title=title,
                    left=list(metrics),
                    left_y_axis=cloudwatch.YAxisProps(min=0),
                    width=_GRAPH_COLUMNS,
                    height=_GRAPH_ROWS,
                )
                for title, metrics in graphs.items()
            )
        )

    def _of_api(self, name: str, statistic: str, label: str) -> cloudwatch.Metric:
        dimensions = {"ApiName": self._watched.api.api_name}
        return metric("AWS/ApiGateway", name, dimensions, statistic, label=label)

    def _of_queue(self, name: str, queue_name: str) -> cloudwatch.Metric:
        return queue_metric(name, queue_name, label=self._short(queue_name))

    def _short(self, name: str) -> str:
        return name.removeprefix(f"{self._config.prefix}-")


def _name(function: PythonFunction) -> str:
    return function.logical_name.lower()


def _ledger(name: str, function: PythonFunction, label: str | None = None) -> cloudwatch.Metric:
    return ledger_metric(name, function, label=label or _name(function))
