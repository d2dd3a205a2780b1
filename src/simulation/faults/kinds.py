"""Every kind of fault that the world can inflict. Each must have occurred in a run that counts."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """A kind of fault. The text is its name in reports."""

    # Any call of a client
    CALL_REFUSED = "call refused: internal error before it took effect"
    CALL_ANSWER_LOST = "call took effect, its answer was an internal error"
    CALL_TIMED_OUT_BEFORE = "call timed out and never arrived"
    CALL_TIMED_OUT_AFTER = "call timed out after it took effect"
    CALL_OVERTAKEN = "call timed out, and took effect when nobody waited any more"
    CALL_SLOW = "call took hundreds of milliseconds"
    CALL_THROTTLED = "call throttled by EventBridge, SQS or SNS"
    SERVICE_OUTAGE = "a service was out for a while"
    # DynamoDB
    TABLE_THROTTLED = "table throttled"
    PARTITION_THROTTLED = "partition throttled"
    TRANSACTION_CONFLICT = "transaction cancelled: another was in flight"
    TRANSACTION_SLOW = "transaction was in flight for seconds"
    STALE_READ = "eventually consistent read answered from the past"
    TORN_READ = "batched read saw some items earlier than others"
    KEYS_UNPROCESSED = "batched read left keys out"
    ITEMS_UNPROCESSED = "batched write left items out"
    SMALL_PAGE = "page ended early"
    INDEX_LATE = "index followed late"
    # Streams
    RECORDS_INTERLEAVED = "records of a transaction came apart"
    STREAM_LATE = "stream record came late"
    STREAM_BATCH_RETRIED = "stream batch was handed out again"
    STREAM_BATCH_BISECTED = "stream batch was split after a failure"
    STREAM_GIVEN_UP = "stream batch was given up, and kept in the failure bucket"
    # EventBridge
    PUT_EVENTS_ENTRY_FAILED = "PutEvents failed some entries"
    BUS_DUPLICATE = "bus delivered an event twice"
    BUS_LATE = "bus delivered an event late"
    BUS_DELIVERY_RETRIED = "bus retried a delivery"
    BUS_DELIVERY_DEAD = "bus gave up a delivery, to its dead letters"
    # SQS
    QUEUE_DUPLICATE = "queue handed a message out twice"
    QUEUE_REORDERED = "queue handed messages out of order"
    QUEUE_ENTRY_FAILED = "SendMessageBatch failed some entries"
    VISIBILITY_EXPIRED = "visibility time-out expired during a batch"
    MESSAGE_DEAD = "message received too often, to its dead letters"
    # SNS
    TOPIC_ENTRY_FAILED = "PublishBatch failed some entries"
    # Scheduler
    SCHEDULE_LATE = "schedule was late"
    SCHEDULE_REPEATED = "schedule called twice"
    # Functions
    CRASH_BEFORE_CALL = "worker crashed before a call"
    CRASH_DURING_CALL = "worker crashed while a call was under way"
    CRASH_AFTER_CALL = "worker crashed after a call"
    FUNCTION_TIMED_OUT = "function timed out"
    FUNCTION_THROTTLED = "invocation throttled"
    WORKER_RECYCLED = "warm worker was taken away before its time"
    CLOCK_SKEWED = "worker's clock was off"
    CLOCK_STEPPED = "worker's clock was put forward or back"
    # Callers and receivers
    REPLY_LOST = "a caller's reply was lost"
    CALLER_REPEATED = "a caller asked again though it was answered"
    ENDPOINT_FAILED = "webhook endpoint answered an error"
    ENDPOINT_ANSWER_LOST = "webhook endpoint took it, its answer was lost"
    # Operations
    DEPLOYMENT = "a release was deployed while commands came"
    ROLLED_BACK = "the release before was put back for a while"
    UNKNOWN_VERSION = "an old worker met what only the new release knows"
    STATES_RESTORED = "the states table was lost and rebuilt"
    PROJECTION_REPLAYED = "a projection was replayed while events came"
