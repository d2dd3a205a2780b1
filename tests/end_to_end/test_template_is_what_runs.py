"""The embedded stack is the synthesised template, but for one declared list of types."""

import json
from pathlib import Path
from typing import Any

from cdk.app import build_app
from sandbox.assembly import Assembly, read_assembly
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
    "BusDlqUrl",
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
    "NotificationsTopicArn",
    "PaymentsDlqUrl",
    "PaymentsQueueUrl",
    "PaymentsTableName",
    "RelayFailuresBucketName",
    "StatesTableName",
}


def test_every_type_on_the_list_is_needed_there(deployment: Deployment) -> None:
    """What is left out is what the list says, and the list holds nothing that is not left out."""
    assert {each.type for each in deployment.left_out} == set(UNSUPPORTED)


def test_stack_has_the_outputs_that_clients_read(deployment: Deployment) -> None:
    """By these very keys."""
    assert set(deployment.outputs) >= OUTPUTS


def test_what_runs_is_the_template_for_aws_but_for_the_list(
    assembly: Assembly, deployment: Deployment, tmp_path: Path
) -> None:
    """Synthesised for AWS, bundle and all, the stacks are those that run here: no resource, setting
    or output differs but resources of the declared types. Not even asset hashes do, as they are
    made of the sources."""
    build_app(bundling="aws", outdir=tmp_path, checked=False).synth()
    for_aws = read_assembly(
        tmp_path, account=deployment.account, default_region=deployment.region
    ).stacks
    cloudformation = deployment.session().client("cloudformation", **deployment.client_arguments())

    assert [stack.name for stack in for_aws] == [stack.name for stack in assembly.stacks]
    left_out: set[str] = set()
    for stack in for_aws:
        template = json.loads(stack.template.read_text(encoding="utf-8"))
        running = _parsed(cloudformation.get_template(StackName=stack.name)["TemplateBody"])
        absent = set(template["Resources"]) - set(running["Resources"])
        left_out |= {template["Resources"].pop(each)["Type"] for each in absent}
        assert running == template
    assert left_out == set(UNSUPPORTED)


def _parsed(body: Any) -> dict[str, Any]:
    """A template as boto3 gives it: parsed already, or as it was sent."""
    return json.loads(body) if isinstance(body, str) else dict(body)
