"""`ledger connect`: a stack's outputs become a configuration without keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ledger.client.config import load
from tests.unit.cli.conftest import Run

OUTPUTS = {"ApiUrl": "https://abc.execute-api.eu-west-1.amazonaws.com/v1/", "ApiId": "abc"}


class Session:
    """boto3's Session, with one stack."""

    def __init__(self, region_name: str | None = None) -> None:
        self.region_name = region_name

    def client(self, service: str) -> Session:
        assert service == "cloudformation"
        return self

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        if StackName == "ledger-dev-service":
            outputs = [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()]
            return {"Stacks": [{"Outputs": outputs}]}
        if StackName == "other":
            return {"Stacks": [{}]}
        message = f"Stack with id {StackName} does not exist"
        raise ClientError(
            {"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks"
        )


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.client.aws.boto3.Session", Session)
    for variable in ("AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(variable, raising=False)


def test_the_outputs_of_the_stack_are_written(run: Run, tmp_path: Path) -> None:
    """Region, address and outputs; no endpoint and no credentials."""
    path = tmp_path / "aws.json"
    done = run("connect", "--region", "eu-west-1", "--config", path, "--json")
    assert done.code == 0
    assert done.value["config"] == str(path)
    config = load(path)
    assert (config.region, config.api_url) == ("eu-west-1", OUTPUTS["ApiUrl"])
    assert config.outputs == OUTPUTS
    assert (config.endpoint_url, config.credentials) == (None, None)


def test_the_environment_names_region_and_endpoint(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_REGION, which the CDK reads and boto3 does not, and AWS_ENDPOINT_URL, which both do: it
    is written down, since a configuration without it would name AWS itself."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    path = tmp_path / "aws.json"
    assert run("connect", "--config", path).code == 0
    config = load(path)
    assert (config.region, config.endpoint_url) == ("eu-west-1", "http://127.0.0.1:4566")


@pytest.mark.parametrize("given", ["https://pay.example/ledger", "https://pay.example/ledger/"])
def test_a_domain_of_ones_own_takes_the_place_of_the_output(
    run: Run, tmp_path: Path, given: str
) -> None:
    """With one slash at its end, as paths are appended to it."""
    path = tmp_path / "aws.json"
    arguments = ("--region", "eu-west-1", "--api-url", given, "--config", path)
    assert run("connect", *arguments).code == 0
    assert load(path).api_url == "https://pay.example/ledger/"


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--stack", "other", "--region", "r"), 2, "has no output ApiUrl"),
        (("--stack", "absent", "--region", "r"), 2, "absent does not exist"),
        ((), 2, "no AWS region"),
    ],
)
def test_a_stack_that_is_none_of_ours_is_refused(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, why: str
) -> None:
    """Nothing is written; the error says what is wrong."""
    path = tmp_path / "aws.json"
    refused = run("connect", *arguments, "--config", path, "--json")
    assert refused.code == code
    assert why in refused.value["title"]
    assert not path.exists()
