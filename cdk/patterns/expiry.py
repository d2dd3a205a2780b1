"""What releases holds that have expired: a function, called every minute."""

import aws_cdk as core
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from cdk.patterns.event_store import EventStore
from cdk.patterns.python_function import FunctionDefaults, PythonFunction

_PERIOD = core.Duration.minutes(1)  # no schedule is called more often
# Less than the period: a sweep is over, as a rule, before the next begins. Two at once do no harm.
_TIMEOUT = core.Duration.seconds(50)


class Expiry(Construct):
    """Sweeps every minute. A sweep that did not take place is made up for by the next one.

    So a call that failed is worth nothing once that is due: neither the schedule nor Lambda tries
    it for longer, and nobody keeps it. What they would tell of is seen by alarms: sweeps that fail,
    that are missing, and holds that are released late.
    """

    def __init__(
        self, scope: Construct, id: str, *, defaults: FunctionDefaults, store: EventStore
    ) -> None:
        super().__init__(scope, f"{id}Sweeper")
        config = defaults.config
        self.function = PythonFunction(
            self,
            id,
            defaults=defaults,
            handler="ledger.entrypoints.expiry.handler",
            environment=store.environment,
            timeout=_TIMEOUT,
        )
        store.let_commit(self.function)
        # The schedule hands a call over and knows nothing of how it ends: what becomes of one that
        # fails or is throttled is for Lambda to say.
        self.function.alias.configure_async_invoke(retry_attempts=0, max_event_age=_PERIOD)
        scheduler.Schedule(
            self,
            "Schedule",
            schedule_name=config.name(id.lower()),
            description=f"Holds that have expired, released by {self.function.function_name}",
            schedule=scheduler.ScheduleExpression.rate(_PERIOD),
            target=targets.LambdaInvoke(
                self.function.alias,
                input=scheduler.ScheduleTargetInput.from_object({}),
                retry_attempts=1,
                max_event_age=_PERIOD,
            ),
        )
