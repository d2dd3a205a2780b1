"""The verb `env`: a ledger's addresses as environment variables, for curl, boto3, the AWS CLI."""

from __future__ import annotations

import re
import shlex
from typing import Final

from ledger.cli.failures import reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.client import config as configuration
from ledger.client.config import Config

_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def env(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the ledger's addresses for a shell: eval "$(ledger env)".

    LEDGER_API_URL, LEDGER_INGRESS_BUS_NAME and so on, one for each output of the stack, and the
    region. Of a stack on this machine also where its AWS is and the key pair that it takes, so that
    any AWS SDK or tool reaches it; of one on AWS no credentials: yours are used.
    """
    with reporting(as_json) as output:
        variables = variables_of(configuration.load(configuration.find(config)))
        lines = (f"export {name}={shlex.quote(value)}" for name, value in variables.items())
        output.result(variables, *lines)


def variables_of(config: Config) -> dict[str, str]:
    """What `env` prints, by the variable's name."""
    outputs = config.outputs | {"ApiUrl": config.api_url}
    variables = {
        f"LEDGER_{_WORD.sub('_', key).upper()}": value for key, value in sorted(outputs.items())
    }
    variables |= {"AWS_REGION": config.region, "AWS_DEFAULT_REGION": config.region}
    if config.endpoint_url is not None:
        variables["AWS_ENDPOINT_URL"] = config.endpoint_url
    if config.credentials is not None:
        variables["AWS_ACCESS_KEY_ID"] = config.credentials.access_key_id
        variables["AWS_SECRET_ACCESS_KEY"] = config.credentials.secret_access_key
    return variables
