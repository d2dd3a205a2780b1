"""boto3 sessions and clients for a configured ledger, here or on AWS."""

from __future__ import annotations

import os
from typing import Any, Final

import boto3
from botocore.config import Config as BotocoreConfig
from botocore.exceptions import ClientError

from ledger.client.config import Config, ConfigError

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 20
_ATTEMPTS_MAX: Final = 5


def session_of(config: Config) -> boto3.Session:
    """A session in the ledger's region, with the configured key pair or boto3's own chain."""
    if config.credentials is None:
        return boto3.Session(region_name=config.region)
    return boto3.Session(
        region_name=config.region,
        aws_access_key_id=config.credentials.access_key_id,
        aws_secret_access_key=config.credentials.secret_access_key,
    )


def client_arguments(config: Config, *, connections: int = 10) -> dict[str, Any]:
    """Arguments for `session.client`: endpoint, time-outs, and the SDK's own bounded retries."""
    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS_MAX},
        "max_pool_connections": connections,
    }
    if config.is_local:
        options["proxies"] = {}
    return {"endpoint_url": config.endpoint_url, "config": BotocoreConfig(**options)}


def connect(stack: str, *, region: str | None = None, api_url: str | None = None) -> Config:
    """The configuration of a ledger on AWS, from its service stack's outputs.

    `region` is else AWS_REGION's, which boto3 alone would not read, or that of the profile.
    `api_url` is else the stack's own: a domain of one's own is known to nobody but its owner, nor
    is where an emulator serves the API. AWS_ENDPOINT_URL, which boto3 heeds, is written down.

    Raises ConfigError if there is no region, no such stack, or it is not a ledger's; botocore's
    other errors pass.
    """
    session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
    if session.region_name is None:
        raise ConfigError("no AWS region: give --region, or set AWS_REGION")
    cloudformation = session.client("cloudformation")
    try:
        (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise ConfigError(f"{stack} in {session.region_name}: {error}") from error
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for output in described.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
    if "ApiUrl" not in outputs:
        raise ConfigError(f"stack {stack} has no output ApiUrl: is it the ledger's service stack?")
    return Config(
        region=session.region_name,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
        api_url=f"{api_url.rstrip('/')}/" if api_url is not None else outputs["ApiUrl"],
        outputs=outputs,
        credentials=None,
    )
