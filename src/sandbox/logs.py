"""What the functions printed: the emulator keeps it as CloudWatch logs."""

import time

from sandbox.endpoint import Endpoint

_FUNCTIONS = "/aws/lambda/"
_EVENTS_MAX = 10_000  # the most that one page may hold
# Lambda's own lines around each invocation
_PLATFORM = ("START ", "END ", "REPORT ")


def function_output(endpoint: Endpoint, *, seconds: float) -> list[str]:
    """What the functions printed in the last `seconds`, each line after the function's name.

    In the order of printing; at most 10,000 lines a function. Raises botocore's errors when the
    emulator does not answer.
    """
    logs = endpoint.session().client("logs", **endpoint.client_arguments())
    start_ms = int((time.time() - seconds) * 1000)
    printed: list[tuple[int, str]] = []
    for group in logs.describe_log_groups(logGroupNamePrefix=_FUNCTIONS)["logGroups"]:
        name = group["logGroupName"]
        found = logs.filter_log_events(logGroupName=name, startTime=start_ms, limit=_EVENTS_MAX)
        printed += [
            (event["timestamp"], f"{name.removeprefix(_FUNCTIONS)}: {event['message'].rstrip()}")
            for event in found["events"]
            if not event["message"].startswith(_PLATFORM)
        ]
    # By time only: Python's sort keeps lines of one millisecond as they came.
    return [line for _, line in sorted(printed, key=lambda each: each[0])]
