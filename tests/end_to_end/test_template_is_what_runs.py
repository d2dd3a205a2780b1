"""The embedded stack is the synthesised template, but for one declared list of types."""

from sandbox.endpoint import Deployment
from sandbox.unsupported import UNSUPPORTED

# What the `ledger` command reads, here and on AWS.
OUTPUTS = {
    "ApiId",
    "ApiStage",
    "ApiUrl",
    "BalancesDlqUrl",
    "BalancesQueueUrl",
    "BalancesTableName",
    "CommandsDlqUrl",
    "CommandsFifoDlqUrl",
    "CommandsFifoQueueUrl",
    "CommandsQueueUrl",
    "EventsTableName",
    "HistoryDlqUrl",
    "HistoryQueueUrl",
    "HistoryTableName",
    "IngressBusName",
    "LedgerBusName",
    "StatesTableName",
}


def test_every_type_on_the_list_is_needed_there(deployment: Deployment) -> None:
    """What is left out is what the list says, and the list holds nothing that is not left out."""
    assert {each.type for each in deployment.left_out} == set(UNSUPPORTED)


def test_stack_has_the_outputs_that_clients_read(deployment: Deployment) -> None:
    """By these very keys."""
    assert set(deployment.outputs) >= OUTPUTS
