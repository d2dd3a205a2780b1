"""What linters say of the templates, with every exception declared here."""

import json
from pathlib import Path

import pytest

from cdk import app as cdk_app
from cdk.app import build_app
from cdk.bundling import PLATFORM_FILE, Bundle, Platform
from tests.template.templates import Json, Templates
from tests.template.test_api import ROUTES

# cfn-lint's findings that stay: rule -> why.
LINT_ACCEPTED = {
    "W3005": "the CDK lets a function depend on its role as well as on the role's policy; harmless",
    "W6001": "the command reads the outputs of one stack; the bus and its letters are in another",
}
# cdk-nag's findings that were accepted: rule -> where. The reason stands where it is accepted.
ACKNOWLEDGED = {
    "AwsSolutions-S1": {"data/RelayFailures"},
    "AwsSolutions-SQS3": {"data/BusDeadLetters"},
    "AwsSolutions-IAM5": {
        "service/RelayStream/Relay/Role/DefaultPolicy",
        "service/WebhooksPart/Webhookdelivery/Role/DefaultPolicy",
        "service/WebhooksPart/Webhookmanager/Role/DefaultPolicy",
    },
    "AwsSolutions-IAM4": {"service/ApiGateway/RestApi/CloudWatchRole"},
    "AwsSolutions-APIG3": {"service/ApiGateway/RestApi/DeploymentStage.v1"},
    # IAM signs for every method: there are no people who log in.
    "AwsSolutions-COG4": {
        f"service/ApiGateway/RestApi/Default{path}/{method}" for method, path in ROUTES
    },
}
PLATFORMS: tuple[Platform, ...] = ("aws", "host")


@pytest.mark.parametrize("stack", ["data", "service", "observability"])
def test_cfn_lint_finds_only_what_is_accepted(both: dict[str, Templates], stack: str) -> None:
    """Errors, warnings and hints alike; of prod, whose resources are those of dev."""
    # Not above: every worker reads this file, and they bring a computer algebra system with them.
    from cfnlint.api import lint  # type: ignore[import-untyped]  # noqa: PLC0415
    from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # noqa: PLC0415

    text = json.dumps(both["prod"].stacks[stack])
    found = lint(text, config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    unexpected = [
        f"{match.rule.id} {match.message}" for match in found if match.rule.id not in LINT_ACCEPTED
    ]
    assert unexpected == []


def test_cdk_nag_accepts_every_stage(templates: Templates) -> None:
    """The AWS Solutions rules were applied and found nothing that was not accepted."""
    assert _nag_report(templates)["conclusion"] == "success"
    assert _nag_report(templates)["violations"] == []


def test_what_was_accepted_is_declared(templates: Templates) -> None:
    """Each accepted finding is of a rule and at a place listed above, and says why."""
    found: dict[str, set[str]] = {}
    for suppressed in _nag_report(templates)["suppressedViolations"]:
        rule = suppressed["ruleName"].partition("[")[0]
        for construct in suppressed["violatingConstructs"]:
            place = construct["constructPath"].removeprefix(templates.prefix)
            found.setdefault(rule, set()).add(place.removesuffix("/Resource"))
        assert len(suppressed["reason"]) > 40
    assert found == ACKNOWLEDGED


def test_the_platform_of_the_bundle_is_not_in_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bundles of the same digest for two platforms yield the same templates, byte for byte."""

    def bundle(platform: Platform) -> Bundle:
        path = tmp_path / platform
        path.mkdir()
        (path / PLATFORM_FILE).write_text(platform)
        return Bundle(path=path, platform=platform, digest="0" * 64)

    monkeypatch.setattr(cdk_app, "build_bundle", bundle)
    stacks = []
    for platform in PLATFORMS:
        assembly = tmp_path / f"assembly-{platform}"
        build_app(bundling=platform, stage="dev", outdir=assembly, checked=False).synth()
        stacks.append(Templates.read("dev", assembly).stacks)
    assert stacks[0] == stacks[1]


def _nag_report(templates: Templates) -> Json:
    report = json.loads((templates.assembly / "validation-report.json").read_text())
    [nag] = [each for each in report["pluginReports"] if each["pluginName"] == "AwsSolutions"]
    return dict(nag)
