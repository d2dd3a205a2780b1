"""Amazon SQS: standard and FIFO queues, as far as the ledger uses them."""

from simulation.aws.sqs.service import Sqs

__all__ = ["Sqs"]
