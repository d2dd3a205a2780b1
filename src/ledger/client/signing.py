"""AWS Signature Version 4 for the REST API, as IAM-authorised methods of API Gateway ask for it."""

from __future__ import annotations

from collections.abc import Callable

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.credentials import ReadOnlyCredentials

from ledger.client.config import Config, ConfigError

_SERVICE = "execute-api"

CredentialsSource = Callable[[], ReadOnlyCredentials]


def credentials_source(config: Config) -> CredentialsSource:
    """The configured key pair, or what boto3's own chain finds (refreshed as they expire).

    Raises ConfigError if neither is there.
    """
    if config.credentials is not None:
        fixed = ReadOnlyCredentials(
            config.credentials.access_key_id, config.credentials.secret_access_key, None
        )
        return lambda: fixed
    found = boto3.Session().get_credentials()
    if found is None:
        raise ConfigError(
            "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return found.get_frozen_credentials


def signed(
    method: str, url: str, body: bytes | None, credentials: ReadOnlyCredentials, region: str
) -> AWSPreparedRequest:
    """A request with its signature, valid for some five minutes from now."""
    headers = {"content-type": "application/json"} if body is not None else {}
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    SigV4Auth(credentials, _SERVICE, region).add_auth(request)
    return request.prepare()
