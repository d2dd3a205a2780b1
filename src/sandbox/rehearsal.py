"""A deployment rehearsed: the CDK's own command line, against an empty emulator.

    python -m sandbox.rehearsal COMMAND...      (`make rehearse`)

COMMAND is how the CDK's command line is started. It bootstraps, deploys, finds nothing left to
deploy, and destroys; in between the `ledger` command connects to what was deployed, pays, and
verifies. The command line gets the assembly that `cdk synth` makes, but for the resources of
`sandbox.unsupported`. What it deploys must be what `sandbox.deploy` does: see `Deployed`.

Prints the commands and the lines of their output that say how they went; the rest is in
`.build/rehearsal/output.log`. Ends non-zero if a command fails or the two deployments differ.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sandbox.assembly import Assembly
from sandbox.deploy import PARAMETERS, api_url_of
from sandbox.endpoint import ACCOUNT, Endpoint
from sandbox.engine import EngineOptions, running_engine
from sandbox.errors import SandboxError
from sandbox.stack import EMULATOR_ENVIRONMENT, deployed
from sandbox.synthesis import synthesise
from sandbox.template import LeftOut, without_unsupported
from sandbox.unsupported import UNSUPPORTED
from sandbox.workspace import claimed

_WORKSPACE = ".build/rehearsal"
_OUTPUT = "output.log"
_TAIL_LINES = 40
# How the command line says that something is done, and what it was about.
_TELLING = re.compile(r"^ *(?:✅|❌|✨  Number of stacks)")


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment has made of a stack, as CloudFormation tells it."""

    status: str
    template: Mapping[str, Any]
    resources: Mapping[str, str]
    """Type by logical id."""
    outputs: frozenset[str]
    tags: Mapping[str, str]
    parameters: Mapping[str, str]


def deployed_stacks(endpoint: Endpoint, names: Sequence[str]) -> dict[str, Deployed]:
    """What is deployed at `endpoint`, of these stacks."""
    cloudformation = endpoint.session().client("cloudformation", **endpoint.client_arguments())
    found = {}
    for name in names:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        body: Any = cloudformation.get_template(StackName=name)["TemplateBody"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        found[name] = Deployed(
            status=stack["StackStatus"],
            template=json.loads(body) if isinstance(body, str) else body,
            resources={
                each["LogicalResourceId"]: each["ResourceType"]
                for page in pages
                for each in page["StackResourceSummaries"]
            },
            outputs=frozenset(each["OutputKey"] for each in stack.get("Outputs", [])),
            tags={each["Key"]: each["Value"] for each in stack.get("Tags", [])},
            parameters={
                each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])
            },
        )
    return found


def differences(ours: Mapping[str, Deployed], theirs: Mapping[str, Deployed]) -> Iterator[str]:
    """Where two deployments of the same stacks differ, a line each."""
    for name, one in ours.items():
        other = theirs[name]
        for field in Deployed.__slots__:
            if getattr(one, field) != getattr(other, field):
                yield f"{name}: {field} differ: {_excess(one, other, field)}"


def _excess(one: Deployed, other: Deployed, field: str) -> str:
    """What only one of two has, or both with another value; their values may be long."""
    ours, theirs = (set(map(repr, _pairs(getattr(each, field)))) for each in (one, other))
    return f"ours {sorted(ours - theirs)}, theirs {sorted(theirs - ours)}"


def _pairs(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(value) if isinstance(value, frozenset) else [value]


def left_out(assembly: Assembly) -> list[LeftOut]:
    """Takes what the emulator lacks out of the templates of an assembly, in place; says what."""
    removed: list[LeftOut] = []
    for stack in assembly.stacks:
        template = json.loads(stack.template.read_text(encoding="utf-8"))
        kept, missing = without_unsupported(template, UNSUPPORTED)
        stack.template.write_text(json.dumps(kept), encoding="utf-8")
        removed += missing
    return removed


class Transcript:
    """Runs commands one after the other, says each, and keeps what it prints.

    `shown` is what stands in the transcript for arguments that only mean something here and now.
    """

    def __init__(
        self, output: IO[str], environment: Mapping[str, str], shown: Mapping[str, str]
    ) -> None:
        self._output = output
        self._environment = environment
        self._shown = shown

    def run(self, name: str, command: Sequence[str], arguments: Sequence[str]) -> str:
        """What the command printed. Raises SandboxError, with the end of it, if it failed."""
        said = " ".join([name, *(self._shown.get(each, each) for each in arguments)])
        say(f"$ {said}")
        finished = subprocess.run(
            [*command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._output.write(f"$ {said}\n{finished.stdout}\n")
        self._output.flush()
        if finished.returncode != 0:
            tail = "\n".join(finished.stdout.splitlines()[-_TAIL_LINES:])
            raise SandboxError(f"{name} ended with exit code {finished.returncode}:\n{tail}")
        return finished.stdout


def rehearse(project_root: Path, command: Sequence[str]) -> None:
    """The whole of it. Raises SandboxError where it fails."""
    with claimed(project_root / _WORKSPACE) as workspace:
        assembly = synthesise(project_root, workspace.assembly)
        options = EngineOptions(region=assembly.region)
        names = [stack.name for stack in assembly.stacks]
        with deployed(assembly, workspace, project_root, options, _quietly) as deployment:
            ours = deployed_stacks(deployment, names)
        for each in left_out(assembly):
            say(f"left out: {each.type} ({each.logical_id})")
        environment = project_root / EMULATOR_ENVIRONMENT
        with (
            running_engine(workspace, environment, options) as endpoint,
            (workspace.directory / _OUTPUT).open("w", encoding="utf-8") as output,
        ):
            app = str(workspace.assembly.relative_to(project_root))
            _Rehearsal(assembly, endpoint, command, app).run(
                ours, output, environment_for(workspace.directory, endpoint)
            )


class _Rehearsal:
    """The commands, in their order. `command` starts the CDK's, `app` is the assembly for it."""

    def __init__(
        self, assembly: Assembly, endpoint: Endpoint, command: Sequence[str], app: str
    ) -> None:
        self._assembly = assembly
        self._endpoint = endpoint
        self._command = [*command, "--no-notices"]  # they would be fetched
        self._app = ("--app", app)
        self._names = [stack.name for stack in assembly.stacks]
        self._cloudformation = endpoint.session().client(
            "cloudformation", **endpoint.client_arguments()
        )

    def run(
        self, ours: Mapping[str, Deployed], output: IO[str], environment: Mapping[str, str]
    ) -> None:
        """Bootstrap, deploy, compare, use, destroy."""
        transcript = Transcript(output, environment, {})
        self._cdk(transcript, "bootstrap", f"aws://{ACCOUNT}/{self._endpoint.region}")
        unattended = ("--require-approval", "never")
        self._cdk(
            transcript, "deploy", "--all", *self._app, *unattended, *_parameters(self._assembly)
        )
        self._compare(ours)
        self._cdk(transcript, "diff", "--all", *self._app)
        self._use(output, environment)
        self._cdk(transcript, "destroy", "--all", *self._app, "--force")
        left = {each["StackName"] for each in self._cloudformation.describe_stacks()["Stacks"]}
        if remaining := left & set(self._names):
            raise SandboxError(f"still there: {', '.join(sorted(remaining))}")

    def _compare(self, ours: Mapping[str, Deployed]) -> None:
        theirs = deployed_stacks(self._endpoint, self._names)
        for name, stack in theirs.items():
            say(f"  {name}: {stack.status}, {len(stack.resources)} resources")
        if found := list(differences(ours, theirs)):
            raise SandboxError("`make run` deploys something else:\n  " + "\n  ".join(found))
        say("  templates, resources, outputs, tags and parameters: what `make run` deploys too")

    def _use(self, output: IO[str], environment: Mapping[str, str]) -> None:
        """What a newcomer does with a ledger, from outside, with real functions behind it."""
        service = next(name for name in self._names if name.endswith("-service"))
        stack = self._cloudformation.describe_stacks(StackName=service)["Stacks"][0]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        api_url = api_url_of(self._endpoint.endpoint_url, outputs)
        transcript = Transcript(output, environment, {api_url: "$API_URL"})
        command = [str(Path(sys.executable).with_name("ledger"))]
        for arguments in (
            ("connect", "--stack", service, "--api-url", api_url),
            ("open", "bank:cash", "EUR", "--type", "asset", "--unbounded"),
            ("open", "customers:42:wallet", "EUR"),
            ("pay", "bank:cash", "customers:42:wallet", "5000", "EUR", "--id", "topup-1"),
            ("verify",),
        ):
            transcript.run("ledger", command, arguments)

    def _cdk(self, transcript: Transcript, *arguments: str) -> None:
        printed = transcript.run("cdk", self._command, arguments)
        for line in printed.splitlines():
            if _TELLING.match(line):
                say(f"  {line.strip()}")


def _parameters(assembly: Assembly) -> list[str]:
    """What `sandbox.deploy` says of this machine, as the command line is told it."""
    options: list[str] = []
    for stack in assembly.stacks:
        declared = json.loads(stack.template.read_text(encoding="utf-8")).get("Parameters", {})
        for key in PARAMETERS.keys() & declared.keys():
            options += ["--parameters", f"{stack.name}:{key}={PARAMETERS[key]}"]
    return options


def environment_for(directory: Path, endpoint: Endpoint) -> Mapping[str, str]:
    """Our environment, but for all that it says of AWS: no command may reach a real account.

    `directory` gets the `ledger` command's configuration.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "CDK_", "LEDGER_"))
    }
    nowhere = str(directory / "none")
    return {
        **kept,
        "AWS_ENDPOINT_URL": endpoint.endpoint_url,
        "AWS_REGION": endpoint.region,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",  # progress on the standard output, and no questions
        "NO_COLOR": "1",
        "NO_PROXY": "127.0.0.1",
        "LEDGER_CONFIG": str(directory / "ledger.json"),
    }


def _quietly(line: str) -> None:
    """The progress of the deployment that is compared with."""


def say(line: str) -> None:
    """A line of the transcript."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        rehearse(Path.cwd(), sys.argv[1:])
    except SandboxError as failure:
        sys.exit(f"the rehearsal failed: {failure}")
