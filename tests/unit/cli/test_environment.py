"""`ledger env`: a configuration as a shell takes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from ledger.cli.environment import variables_of
from ledger.client.config import Config, save
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

ON_AWS = Config(
    region="eu-west-1",
    endpoint_url=None,
    api_url="https://abc.execute-api.eu-west-1.amazonaws.com/v1/",
    outputs={"IngressBusName": "ledger-dev-ingress", "ApiUrl": "not this one"},
    credentials=None,
)


def test_a_local_ledger_is_reached_by_any_tool(local: LocalLedger) -> None:
    """Region, endpoint and key pair are under the names that every AWS SDK reads."""
    variables = variables_of(local.config)
    assert variables["LEDGER_API_URL"] == local.config.api_url
    assert variables["AWS_ENDPOINT_URL"] == local.config.endpoint_url
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert variables["AWS_ACCESS_KEY_ID"] == "000000000000"
    assert variables["AWS_SECRET_ACCESS_KEY"] == "test"


def test_of_a_ledger_on_aws_no_credentials_are_told() -> None:
    """One's own are used; the outputs are named as a shell names things."""
    assert variables_of(ON_AWS) == {
        "LEDGER_API_URL": ON_AWS.api_url,
        "LEDGER_INGRESS_BUS_NAME": "ledger-dev-ingress",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_a_shell_reads_what_is_printed(run: Run, tmp_path: Path) -> None:
    """Whatever a value holds, the shell has it to the letter."""
    odd = 'it\'s $HOME; `id` "x" \\'
    path = tmp_path / "odd.json"
    save(msgspec.structs.replace(ON_AWS, outputs={"OddName": odd}), path)
    done = run("env", "--config", path)
    assert done.code == 0
    script = f'{done.out}\nprintf %s "$LEDGER_ODD_NAME"'
    shell = subprocess.run(["/bin/sh", "-c", script], check=True, capture_output=True, text=True)
    assert shell.stdout == odd
    assert run("env", "--config", path, "--json").value["LEDGER_ODD_NAME"] == odd
