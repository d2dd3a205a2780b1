"""A rehearsed deployment reaches nothing but the emulator, and tells whatever differs or fails."""

import dataclasses
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.assembly import Assembly, Location, Stack
from sandbox.endpoint import ACCOUNT, Endpoint
from sandbox.errors import SandboxError
from sandbox.rehearsal import (
    Deployed,
    Transcript,
    deployed_stacks,
    differences,
    environment_for,
    left_out,
)
from tests.support.emulator import REGION, emulator

STACK = Deployed(
    status="CREATE_COMPLETE",
    template={"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}},
    resources={"Queue": "AWS::SQS::Queue"},
    outputs=frozenset({"QueueUrl"}),
    tags={"stage": "dev"},
    parameters={"BootstrapVersion": "33"},
)
OTHERS: dict[str, Any] = {
    "status": "ROLLBACK_COMPLETE",
    "template": {},
    "resources": {"Queue": "AWS::SNS::Topic"},
    "outputs": frozenset(),
    "tags": {},
    "parameters": {"BootstrapVersion": "30"},
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An emulator without a stack in it."""
    with emulator(tmp_path_factory.mktemp("workspace")) as running:
        yield running


def test_equal_deployments_do_not_differ() -> None:
    """Nothing is said of them."""
    assert list(differences({"data": STACK}, {"data": dataclasses.replace(STACK)})) == []


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(Deployed)])
def test_whatever_differs_is_named(field: str) -> None:
    """Stack, field, and what each has that the other has not."""
    other = dataclasses.replace(STACK, **{field: OTHERS[field]})
    (line,) = differences({"data": STACK}, {"data": other})
    assert line.startswith(f"data: {field} differ: ours [")


@pytest.mark.emulator
def test_a_stack_is_read_as_cloudformation_tells_it(endpoint: Endpoint) -> None:
    """Whoever deployed it: this is what two deployments are compared by."""
    template = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
    }
    cloudformation = endpoint.session().client("cloudformation", **endpoint.client_arguments())
    cloudformation.create_stack(
        StackName="data",
        TemplateBody=json.dumps(template),
        Tags=[{"Key": "stage", "Value": "dev"}],
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "dev"}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="data", WaiterConfig={"Delay": 1}
    )
    assert deployed_stacks(endpoint, ["data"]) == {
        "data": Deployed(
            status="CREATE_COMPLETE",
            template=template,
            resources={"Queue": "AWS::SQS::Queue"},
            outputs=frozenset({"QueueUrl"}),
            tags={"stage": "dev"},
            parameters={"Stage": "dev"},
        )
    }


def test_only_what_the_emulator_lacks_is_taken_out(tmp_path: Path) -> None:
    """In place, where the CDK's command line finds it, and everything else stays."""
    path = tmp_path / "data.template.json"
    kept = {"Queue": {"Type": "AWS::SQS::Queue"}}
    archive = {"Archive": {"Type": "AWS::Events::Archive"}}
    path.write_text(json.dumps({"Resources": kept | archive, "Outputs": {}}))
    stack = Stack(name="data", template=path, destination=Location("assets", path.name))

    missing = left_out(Assembly(region=REGION, stacks=(stack,), assets=()))

    assert [each.logical_id for each in missing] == ["Archive"]
    assert json.loads(path.read_text()) == {"Resources": kept, "Outputs": {}}


def test_no_command_can_reach_a_real_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the environment nothing remains that names an account, a profile or another ledger; what
    stands there instead names the emulator, and no file of credentials."""
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CDK_DEFAULT_ACCOUNT", "LEDGER_CONFIG"):
        monkeypatch.setenv(variable, "mine")
    monkeypatch.setenv("NPM_CONFIG_CACHE", "kept")
    there = Endpoint(endpoint_url="http://127.0.0.1:1", region=REGION, log_file=tmp_path / "log")
    environment = environment_for(tmp_path, there)
    assert "mine" not in environment.values()
    assert environment["NPM_CONFIG_CACHE"] == "kept"
    assert environment["AWS_ENDPOINT_URL"] == there.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == ACCOUNT
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert not Path(environment[variable]).exists()


def test_a_transcript_says_what_was_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The command as one would type it, without what only means something here; and it keeps all
    that was printed."""
    output = io.StringIO()
    transcript = Transcript(output, os.environ, {"http://127.0.0.1:1": "$API_URL"})
    script = ["/bin/sh", "-c", 'echo "$0 $1"']
    assert transcript.run("ledger", script, ["connect", "http://127.0.0.1:1"]) == (
        "connect http://127.0.0.1:1\n"
    )
    assert capsys.readouterr().out == "$ ledger connect $API_URL\n"
    assert output.getvalue() == "$ ledger connect $API_URL\nconnect http://127.0.0.1:1\n\n"


def test_a_command_that_fails_ends_the_rehearsal() -> None:
    """With its exit code, and the last that it printed, on whichever stream."""
    transcript = Transcript(io.StringIO(), os.environ, {})
    with pytest.raises(SandboxError, match=r"cdk ended with exit code 3:\nno stack"):
        transcript.run("cdk", ["/bin/sh", "-c"], ["echo no stack >&2; exit 3"])
