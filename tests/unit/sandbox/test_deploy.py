"""Stacks are created as they were synthesised, and a stack that cannot be says why."""

import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.assembly import Assembly, Asset, Location, Stack
from sandbox.deploy import deploy
from sandbox.endpoint import Deployment, Endpoint
from sandbox.engine import EngineOptions, running_engine
from sandbox.errors import SandboxError
from sandbox.stack import EMULATOR_ENVIRONMENT
from sandbox.workspace import claimed

pytestmark = pytest.mark.emulator

REGION = "eu-central-1"
ENVIRONMENT = Path(__file__).resolve().parents[3] / EMULATOR_ENVIRONMENT
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "payments"}}
API = {"ApiId": {"Value": "abc"}, "ApiStage": {"Value": "v1"}}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One emulator for this file."""
    with (
        claimed(tmp_path_factory.mktemp("workspace")) as workspace,
        running_engine(workspace, ENVIRONMENT, EngineOptions(region=REGION)) as running,
    ):
        yield running


@pytest.fixture
def endpoint(engine: Endpoint) -> Endpoint:
    """The emulator, emptied: stacks are deployed to an empty one."""
    connection = http.client.HTTPConnection(urlsplit(engine.endpoint_url).netloc, timeout=30)
    connection.request("POST", "/_ministack/reset")
    assert connection.getresponse().status == http.HTTPStatus.OK
    connection.close()
    return engine


def assembly(directory: Path, *assets: Asset, **templates: dict[str, Any]) -> Assembly:
    """One stack for each template, in the order given."""
    stacks = []
    for name, template in templates.items():
        path = directory / f"{name}.template.json"
        path.write_text(json.dumps(template))
        destination = Location("assets", path.name)
        stacks.append(Stack(name=name, template=path, destination=destination, tags={"stage": "t"}))
    return Assembly(region=REGION, stacks=tuple(stacks), assets=assets)


def deployed(given: Assembly, endpoint: Endpoint) -> tuple[Deployment, list[str]]:
    """The deployment and what was reported."""
    reported: list[str] = []
    return deploy(given, endpoint, reported.append), reported


def test_templates_are_told_what_is_special_about_this_machine(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    """By the parameters that they declare, where AWS has the defaults; a stack that declares none
    is given none."""
    name = "WebhookTrustedNetworks"
    service = {
        "Parameters": {name: {"Type": "String", "Default": ""}},
        "Resources": {"Queue": QUEUE},
        "Outputs": {"Trusted": {"Value": {"Ref": name}}, **API},
    }
    other = {"Resources": {"Other": {"Type": "AWS::SQS::Queue"}}}

    deployment, _ = deployed(assembly(tmp_path, other=other, service=service), endpoint)

    assert deployment.outputs["Trusted"] == "127.0.0.0/8"


def test_stacks_read_what_earlier_ones_export(tmp_path: Path, endpoint: Endpoint) -> None:
    """And only outputs that are meant for people and programs come back."""
    data = {
        "Resources": {"Queue": QUEUE},
        "Outputs": {
            "ForStacks": {"Value": {"Ref": "Queue"}, "Export": {"Name": "data:Queue"}},
        },
    }
    service = {
        "Resources": {"Dlq": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"QueueUrl": {"Value": {"Fn::ImportValue": "data:Queue"}}, **API},
    }

    deployment, _ = deployed(assembly(tmp_path, data=data, service=service), endpoint)

    assert deployment.api_url == f"{endpoint.endpoint_url}/_aws/execute-api/abc/v1/"
    assert deployment.outputs == {
        "QueueUrl": f"{endpoint.endpoint_url}/{endpoint.account}/payments",
        "ApiId": "abc",
        "ApiStage": "v1",
        "ApiUrl": deployment.api_url,
    }


def test_a_stack_has_its_tags(tmp_path: Path, endpoint: Endpoint) -> None:
    """As `cdk deploy` gives them: grants and bills may go by them."""
    deployed(assembly(tmp_path, service={"Resources": {"Queue": QUEUE}, "Outputs": API}), endpoint)
    cloudformation = endpoint.session().client("cloudformation", **endpoint.client_arguments())
    (described,) = cloudformation.describe_stacks(StackName="service")["Stacks"]
    assert described["Tags"] == [{"Key": "stage", "Value": "t"}]


def test_what_the_emulator_lacks_is_left_out_and_said(tmp_path: Path, endpoint: Endpoint) -> None:
    """By the declared list, with the reason in it."""
    archive = {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": "arn"}}
    template = {"Resources": {"Queue": QUEUE, "Archive": archive}, "Outputs": API}

    deployment, reported = deployed(assembly(tmp_path, service=template), endpoint)

    assert [each.logical_id for each in deployment.left_out] == ["Archive"]
    (said,) = [line for line in reported if "left out" in line]
    assert "AWS::Events::Archive" in said
    assert deployment.left_out[0].reason in said


def test_assets_are_published_where_the_templates_expect_them(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    """Files as they are; an archive only says where its code is imported from."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "handler.py").write_bytes(b"")
    (tmp_path / "schema.json").write_bytes(b"{}")
    assets = (
        Asset(tmp_path / "code", "zip", Location("assets", "code.zip")),
        Asset(tmp_path / "schema.json", "file", Location("others", "schema.json")),
    )

    deployed(
        assembly(tmp_path, *assets, service={"Resources": {"Queue": QUEUE}, "Outputs": API}),
        endpoint,
    )

    s3 = endpoint.session().client("s3", **endpoint.client_arguments())
    code = s3.get_object(Bucket="assets", Key="code.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        assert archive.read("IMPORTED_FROM").decode() == f"{tmp_path / 'code'}\n"
    assert s3.get_object(Bucket="others", Key="schema.json")["Body"].read() == b"{}"


def test_template_above_the_size_of_a_request_is_deployed(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    """51,200 bytes is what CloudFormation takes in the request itself; ours are larger."""
    template = {"Description": "", "Resources": {"Queue": QUEUE}, "Outputs": API}
    padding = {f"Condition{n}": {"Fn::Equals": ["a" * 50, "b" * 50]} for n in range(600)}

    deployed(assembly(tmp_path, service={**template, "Conditions": padding}), endpoint)


def test_failing_resource_is_named_with_its_reason(tmp_path: Path, endpoint: Endpoint) -> None:
    """A stack that is rolled back tells little; what failed first tells why."""
    taken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "assets"}}

    expected = r"stack service ended as ROLLBACK_COMPLETE:\n  Taken: .*already exists"
    with pytest.raises(SandboxError, match=expected):
        deployed(assembly(tmp_path, service={"Resources": {"Taken": taken}}), endpoint)


def test_refused_template_is_explained(tmp_path: Path, endpoint: Endpoint) -> None:
    """A type that CloudFormation there does not know never gets as far as a stack."""
    odd = {"Type": "AWS::No::SuchThing"}

    with pytest.raises(SandboxError, match="AWS::No::SuchThing"):
        deployed(assembly(tmp_path, service={"Resources": {"Odd": odd}}), endpoint)


def test_stack_without_a_rest_api_is_refused(tmp_path: Path, endpoint: Endpoint) -> None:
    """Its address could not be told."""
    with pytest.raises(SandboxError, match="ApiId"):
        deployed(assembly(tmp_path, service={"Resources": {"Queue": QUEUE}}), endpoint)
