"""A bad deployment of one function, and the way back: what breaks a consumer in earnest.

As a program, for the exercise in docs/operations.md, on the ledger that this directory's
configuration names:

    .venv/bin/python -m tests.support.bad_deploy balances               break it
    .venv/bin/python -m tests.support.bad_deploy balances --roll-back   mend it
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ledger.client import aws
from ledger.client import config as configuration
from ledger.client.config import Config

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_ALIAS = "live"
_NOWHERE = "no-such-table"


def deploy_badly(functions: LambdaClient, name: str) -> None:
    """Publishes a version of the function that looks for its table where there is none, and points
    the alias at it: what a wrong setting in a deployment does."""
    configured = functions.get_function_configuration(FunctionName=name)
    genuine = configured["Environment"]["Variables"]
    broken = {key: _NOWHERE if key.endswith("_TABLE") else value for key, value in genuine.items()}
    assert broken != genuine, f"{name} has no table"
    _configure(functions, name, broken)
    version = functions.publish_version(FunctionName=name)["Version"]
    _configure(functions, name, genuine)
    functions.update_alias(FunctionName=name, Name=_ALIAS, FunctionVersion=version)


def roll_back(functions: LambdaClient, name: str) -> None:
    """Points the alias at the version before the one that it points at now."""
    now = functions.get_alias(FunctionName=name, Name=_ALIAS)["FunctionVersion"]
    versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
    published = sorted(int(each["Version"]) for each in versions if each["Version"].isdigit())
    before = published[published.index(int(now)) - 1]
    functions.update_alias(FunctionName=name, Name=_ALIAS, FunctionVersion=str(before))


def functions_of(config: Config) -> LambdaClient:
    """AWS Lambda, where that ledger runs."""
    return aws.session_of(config).client("lambda", **aws.client_arguments(config))


def name_of(config: Config, function: str) -> str:
    """The physical name of a function of that ledger's stage."""
    return config.output("EventsTableName").removesuffix("events") + function


def _configure(functions: LambdaClient, name: str, variables: dict[str, str]) -> None:
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=deploy_badly.__doc__)
    parser.add_argument("function", help="balances or history, for example")
    parser.add_argument("--roll-back", action="store_true", help="the way back")
    asked = parser.parse_args()
    config = configuration.load(configuration.find(None))
    act = roll_back if asked.roll_back else deploy_badly
    act(functions_of(config), name_of(config, asked.function))


if __name__ == "__main__":
    main()
