"""The plainest ledger, to hold the real one to."""

from simulation.auditor.model.accounts import ModelAccount
from simulation.auditor.model.known import Detail, Known, Told
from simulation.auditor.model.ledger import Model
from simulation.auditor.model.payment_commands import release
from simulation.auditor.model.payments import ModelPayment
from simulation.auditor.model.replies import PRECEDENCE, UNRECORDED, Reply, as_asked, differing

__all__ = [
    "PRECEDENCE",
    "UNRECORDED",
    "Detail",
    "Known",
    "Model",
    "ModelAccount",
    "ModelPayment",
    "Reply",
    "Told",
    "as_asked",
    "differing",
    "release",
]
