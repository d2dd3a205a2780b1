"""Deploys a cloud assembly to the emulator: assets published, stacks created, outputs read.

What `cdk deploy` does, with boto3: no Node.js, no bootstrap stack, one second instead of ten.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.assembly import Assembly, Asset, Stack
from sandbox.endpoint import Deployment, Endpoint
from sandbox.errors import SandboxError
from sandbox.template import LeftOut, without_unsupported
from sandbox.unsupported import UNSUPPORTED

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import OperationEventTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketLocationConstraintType

Report = Callable[[str], None]
"""Takes one line of progress, for people."""

# What the templates' parameter `BootstrapVersion` reads: the version that the pinned command
# line's own bootstrap writes, to which `make rehearse` holds it.
_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_BOOTSTRAP_VERSION = "33"
# What this machine says where another place says something else, by the templates' parameters.
# Functions run here: receivers of webhooks on this very machine are as near as the functions are.
PARAMETERS = {"WebhookTrustedNetworks": "127.0.0.0/8"}
_CREATE_SECONDS_MAX = 120.0  # under a second each; the rest is for a machine that is busy testing
_POLL_SECONDS = 0.05
_CREATED = "CREATE_COMPLETE"
_REASONS_MAX = 5
_DEFAULT_S3_REGION = "us-east-1"


def deploy(assembly: Assembly, endpoint: Endpoint, report: Report) -> Deployment:
    """All stacks of `assembly`, created in the emulator at `endpoint`, which must be empty.

    Raises SandboxError with the failing resource and its reason when a stack cannot be created.
    """
    try:
        left_out, outputs = _create_stacks(assembly, endpoint, report)
    except (BotoCoreError, ClientError) as error:
        raise SandboxError(f"the stacks cannot be deployed: {error}") from error
    api_url = api_url_of(endpoint.endpoint_url, outputs)
    return Deployment(
        endpoint_url=endpoint.endpoint_url,
        region=endpoint.region,
        account=endpoint.account,
        access_key_id=endpoint.access_key_id,
        secret_access_key=endpoint.secret_access_key,
        ca_bundle=endpoint.ca_bundle,
        log_file=endpoint.log_file,
        api_url=api_url,
        outputs={**outputs, "ApiUrl": api_url},
        left_out=left_out,
    )


def _create_stacks(
    assembly: Assembly, endpoint: Endpoint, report: Report
) -> tuple[tuple[LeftOut, ...], dict[str, str]]:
    """What was left out of the stacks, and their outputs."""
    session, arguments = endpoint.session(), endpoint.client_arguments()
    s3 = session.client("s3", **arguments)
    cloudformation = session.client("cloudformation", **arguments)
    session.client("ssm", **arguments).put_parameter(
        Name=_BOOTSTRAP_PARAMETER, Value=_BOOTSTRAP_VERSION, Type="String"
    )
    _publish(s3, assembly)
    left_out: list[LeftOut] = []
    outputs: dict[str, str] = {}
    for stack in assembly.stacks:
        missing = _upload_template(s3, stack)
        for each in missing:
            report(f"left out: {each.type} ({each.logical_id}): {each.reason}")
        left_out += missing
        started = time.monotonic()
        outputs |= _created(cloudformation, stack, endpoint)
        report(f"created stack {stack.name} in {time.monotonic() - started:.1f} s")
    return tuple(left_out), outputs


def _publish(s3: "S3Client", assembly: Assembly) -> None:
    destinations = {each.destination for each in assembly.assets}
    destinations |= {each.destination for each in assembly.stacks}
    for bucket in sorted({each.bucket for each in destinations}):
        _create_bucket(s3, bucket, assembly.region)
    for asset in assembly.assets:
        s3.put_object(
            Bucket=asset.destination.bucket, Key=asset.destination.key, Body=_content(asset)
        )


def _create_bucket(s3: "S3Client", bucket: str, region: str) -> None:
    if region == _DEFAULT_S3_REGION:  # the one Region that must not be named
        s3.create_bucket(Bucket=bucket)
        return
    constraint = cast("BucketLocationConstraintType", region)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": constraint})


def _content(asset: Asset) -> bytes:
    """Functions import from the assembly (see `EngineOptions.code`): an archive only says so."""
    if asset.packaging == "file":
        return asset.source.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("IMPORTED_FROM", f"{asset.source.resolve()}\n")
    return buffer.getvalue()


def _upload_template(s3: "S3Client", stack: Stack) -> tuple[LeftOut, ...]:
    """Publish the template without what the emulator lacks, over the one that came as an asset."""
    synthesised = json.loads(stack.template.read_text(encoding="utf-8"))
    template, left_out = without_unsupported(synthesised, UNSUPPORTED)
    s3.put_object(
        Bucket=stack.destination.bucket,
        Key=stack.destination.key,
        Body=json.dumps(template).encode(),
    )
    return left_out


def _created(
    cloudformation: "CloudFormationClient", stack: Stack, endpoint: Endpoint
) -> Mapping[str, str]:
    """Create `stack`, wait for it, and return its outputs, without those made for other stacks."""
    declared = json.loads(stack.template.read_text(encoding="utf-8")).get("Parameters", {})
    cloudformation.create_stack(
        StackName=stack.name,
        # by URL: a template in the request itself may have 51,200 bytes only
        TemplateURL=f"{endpoint.endpoint_url}/{stack.destination.bucket}/{stack.destination.key}",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in PARAMETERS.items()
            if key in declared
        ],
    )
    deadline = time.monotonic() + _CREATE_SECONDS_MAX
    while True:
        described = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
        status = described["StackStatus"]
        if status == _CREATED:
            return {
                output["OutputKey"]: output["OutputValue"]
                for output in described.get("Outputs", [])
                if "ExportName" not in output
            }
        if not status.endswith("_IN_PROGRESS"):
            raise SandboxError(
                f"stack {stack.name} ended as {status}:\n{_reasons(cloudformation, stack.name)}"
            )
        if time.monotonic() > deadline:
            raise SandboxError(
                f"stack {stack.name} is still {status} after {_CREATE_SECONDS_MAX:.0f} s"
            )
        time.sleep(_POLL_SECONDS)


def _reasons(cloudformation: "CloudFormationClient", stack_name: str) -> str:
    """The first failures, in the order they happened: later ones tend to follow from them.

    Two kinds: what CloudFormation found wrong before it began, and what a resource answered.
    """
    failures = [
        f"  {event.get('LogicalResourceId')}: {reason}"
        for event in cloudformation.describe_events(StackName=stack_name)["OperationEvents"]
        if (reason := event.get("ValidationStatusReason") or _provisioning_failure(event))
    ]
    return "\n".join(failures[:_REASONS_MAX]) or "  no resource is said to have failed"


def _provisioning_failure(event: "OperationEventTypeDef") -> str | None:
    failed = event.get("ResourceStatus", "").endswith("_FAILED")
    return event.get("ResourceStatusReason") if failed else None


def api_url_of(endpoint_url: str, outputs: Mapping[str, str]) -> str:
    """Where the emulator serves a REST API: not under the host name that the output promises."""
    try:
        api_id, stage = outputs["ApiId"], outputs["ApiStage"]
    except KeyError as error:
        raise SandboxError(f"no stack has the output {error.args[0]}") from error
    return f"{endpoint_url}/_aws/execute-api/{api_id}/{stage}/"
