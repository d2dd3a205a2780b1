"""The plainest ledger, to hold the real one to."""

from tests.support.model.accounts import ModelAccount
from tests.support.model.known import Detail, Known
from tests.support.model.ledger import Model
from tests.support.model.payment_commands import release
from tests.support.model.payments import ModelPayment
from tests.support.model.replies import PRECEDENCE, UNRECORDED, Reply, as_asked

__all__ = [
    "PRECEDENCE",
    "UNRECORDED",
    "Detail",
    "Known",
    "Model",
    "ModelAccount",
    "ModelPayment",
    "Reply",
    "as_asked",
    "release",
]
