"""How to talk to a running emulator, and to the stack deployed in it."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from sandbox.template import LeftOut

ACCOUNT = "000000000000"
"""The account the emulator puts everything in. As an access key id it is the account's root user,
the only key for which the emulator tells a REST handler who called
(`requestContext.identity.userArn`)."""
SECRET_ACCESS_KEY = "test"  # noqa: S105  what the emulator gives to everyone; it guards nothing

_HEALTH_SECONDS_MAX = 5.0  # an answer takes milliseconds; the machine may be busy testing


class ClientArguments(TypedDict):
    """What every boto3 client of the emulator is made with, besides the session."""

    endpoint_url: str
    verify: str | None
    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A running emulator. Its credentials are made up and work nowhere else."""

    endpoint_url: str
    region: str
    account: str = ACCOUNT
    access_key_id: str = ACCOUNT
    secret_access_key: str = SECRET_ACCESS_KEY
    ca_bundle: Path | None = None
    """The certificate to trust; None for plain HTTP."""
    log_file: Path

    def session(self) -> boto3.Session:
        """A session with the emulator's credentials, whatever the environment says of AWS."""
        return boto3.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
        )

    def client_arguments(self) -> ClientArguments:
        """For `session().client(name, **endpoint.client_arguments())`. Never through a proxy."""
        return ClientArguments(
            endpoint_url=self.endpoint_url,
            verify=str(self.ca_bundle) if self.ca_bundle is not None else None,
            config=Config(proxies={}),
        )

    def is_healthy(self) -> bool:
        """Whether the emulator answers. Waits 5 seconds at most."""
        url = urlsplit(self.endpoint_url)
        connection: http.client.HTTPConnection
        if self.ca_bundle is not None:
            trust = ssl.create_default_context(cafile=str(self.ca_bundle))
            connection = http.client.HTTPSConnection(
                url.netloc, timeout=_HEALTH_SECONDS_MAX, context=trust
            )
        else:
            connection = http.client.HTTPConnection(url.netloc, timeout=_HEALTH_SECONDS_MAX)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Endpoint):
    """A running emulator with the stacks in it."""

    api_url: str
    """The REST API's stage, with a slash at the end as in AWS's own URLs."""
    outputs: Mapping[str, str]
    """The stacks' outputs by key; `ApiUrl` is `api_url`, not the address it would have on AWS."""
    left_out: tuple[LeftOut, ...]
