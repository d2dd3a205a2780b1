"""The verb `connect`: from a stack on AWS to a configuration."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.failures import reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import fields
from ledger.client import aws
from ledger.client import config as configuration


def connect(
    stack: Annotated[
        str, typer.Option(help="The service stack: ledger-STAGE-service.")
    ] = "ledger-dev-service",
    region: Annotated[
        str | None,
        typer.Option(help="Else AWS_REGION, or the one of your AWS profile.", show_default=False),
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(help="Else the stack's own: for a domain of yours.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the configuration of a ledger on AWS, with your AWS credentials.

    The file holds addresses, no keys: each command finds credentials as the AWS CLI does.
    """
    with reporting(as_json) as output:
        found = aws.connect(stack, region=region, api_url=api_url)
        path = configuration.of_connect(config)
        configuration.save(found, path)
        result = {"config": str(path), "region": found.region, "api_url": found.api_url}
        output.result(result, fields(result.items()))
