"""Why an attempt did not deliver: a closed set, as logs and dead letters say it."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """One reason. The values are in dead letters and docs/webhooks.md: never rename one."""

    MALFORMED_MESSAGE = "malformed_message"  # what lay in the queue is no delivery
    SUBSCRIBER_UNKNOWN = "subscriber_unknown"  # removed since, or never there
    SUBSCRIBER_DISABLED = "subscriber_disabled"
    SECRET_MISSING = "secret_missing"  # noqa: S105 - Secrets Manager has none: rotate makes one
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - Secrets Manager did not answer
    STORE_UNAVAILABLE = "store_unavailable"  # DynamoDB did not answer
    NETWORKS_UNAVAILABLE = "networks_unavailable"  # nor Systems Manager, or it has no such list
    URL_REFUSED = "url_refused"  # what was accepted once is no longer: no https, credentials, ports
    ADDRESS_REFUSED = "address_refused"  # the name leads to an address that is not public
    NAME_NOT_RESOLVED = "name_not_resolved"
    NOT_CONNECTED = "not_connected"
    TLS_FAILED = "tls_failed"  # the certificate is not of that name, has expired, or is no one's
    TIMED_OUT = "timed_out"  # no answer in time; whether it was taken is unknown
    NO_ANSWER = "no_answer"  # the connection broke, or what came is no HTTP
    REDIRECTED = "redirected"  # 3xx: never followed
    GONE = "gone"  # 410: the endpoint wants no more, and is disabled
    REFUSED = "refused"  # any other 4xx
    FAILED = "failed"  # 5xx
    NOT_TRIED = "not_tried"  # the endpoint had just failed another delivery, or time was short
    UNFORESEEN = "unforeseen"  # a bug of ours: the log line names the exception


#: Waiting cannot mend these: someone has to, and then sends the dead letters again.
PERMANENT = frozenset(
    {
        Fault.MALFORMED_MESSAGE,
        Fault.SUBSCRIBER_UNKNOWN,
        Fault.SUBSCRIBER_DISABLED,
        Fault.URL_REFUSED,
        Fault.GONE,
    }
)
#: What an endpoint does to one delivery, it would do to the next, and take its time to: the rest of
#: the batch for it is put off untried.
OF_THE_ENDPOINT = frozenset(
    {
        Fault.SECRET_UNAVAILABLE,
        Fault.NETWORKS_UNAVAILABLE,
        Fault.ADDRESS_REFUSED,
        Fault.NAME_NOT_RESOLVED,
        Fault.NOT_CONNECTED,
        Fault.TLS_FAILED,
        Fault.TIMED_OUT,
        Fault.GONE,
    }
)
_TOO_MANY_REQUESTS = 429


class AttemptError(Exception):
    """An attempt that did not deliver. `status` is the answer's, 0 if there was none;
    `retry_after` its header, as it came."""

    def __init__(self, fault: Fault, *, status: int = 0, retry_after: str = "") -> None:
        self.fault = fault
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"{fault} {status}" if status else str(fault))

    @property
    def is_of_the_endpoint(self) -> bool:
        """Whether the next delivery to the same endpoint would fare no better now."""
        return self.fault in OF_THE_ENDPOINT or self.status == _TOO_MANY_REQUESTS
