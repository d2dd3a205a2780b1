"""How the ledger's clients reach a stack that runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.client.config import Config, Credentials

if TYPE_CHECKING:
    from sandbox.endpoint import Deployment


def config_of(deployment: Deployment) -> Config:
    """The configuration of its clients, with the stack's own credentials."""
    return Config(
        region=deployment.region,
        endpoint_url=deployment.endpoint_url,
        api_url=deployment.api_url,
        outputs=dict(deployment.outputs),
        credentials=Credentials(
            access_key_id=deployment.access_key_id,
            secret_access_key=deployment.secret_access_key,
        ),
    )
