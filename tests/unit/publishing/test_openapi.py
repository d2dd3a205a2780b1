"""The OpenAPI description: valid, complete, and held to what the handlers do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ledger.contracts.commands import decode_command
from ledger.contracts.reasons import REASONS, InvalidCommandError, Kind
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from publishing.operations import OPERATIONS

OPENAPI: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8")
)
#: What only commands of the ledger's own can be refused for, which no route takes.
OF_SYSTEM_COMMANDS = {"invalid_screening", "screened_payment_unknown", "hold_not_due"}
ROUTES = [
    (method.upper(), path, operation)
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator that finds the description's components."""
    return Draft202012Validator(schema | {"components": OPENAPI["components"]})


def media(holder: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The schema and the examples of each media type of a body."""
    for content in holder.get("content", {}).values():
        yield content["schema"], content.get("examples", {})


def test_every_route_is_described() -> None:
    """Each once, with an id of its own."""
    assert {(method, path) for method, path, _ in ROUTES} == {
        *(("POST", path) for path in COMMAND_PATHS.values()),
        ("POST", "/commands"),
        ("GET", "/payments"),
        ("GET", "/payments/{id}"),
        ("GET", "/payments/{id}/metadata"),
        ("GET", "/payments/{id}/screening"),
        ("GET", "/reviews"),
        ("GET", "/accounts"),
        ("GET", "/accounts/{id}"),
        ("GET", "/accounts/{id}/alerts"),
        ("GET", "/accounts/{id}/history"),
        ("GET", "/accounts/{id}/limits"),
        ("GET", "/accounts/{id}/metadata"),
        ("GET", "/templates/{id}"),
        ("GET", "/books/{id}"),
        ("GET", "/health"),
        ("GET", "/webhooks"),
        ("GET", "/webhooks/{id}"),
        ("PUT", "/webhooks/{id}"),
        ("DELETE", "/webhooks/{id}"),
        ("POST", "/webhooks/{id}/rotate"),
        ("POST", "/webhooks/{id}/test"),
    }
    assert len({operation["operationId"] for _, _, operation in ROUTES}) == len(ROUTES)


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    """Draft 2020-12, as OpenAPI 3.1 has it."""
    for schema in OPENAPI["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(OPENAPI)):
        target: Any = OPENAPI
        for step in reference.split("/"):
            target = target[step]
        assert target


@pytest.mark.parametrize(("method", "path", "operation"), ROUTES)
def test_every_example_answer_fits_its_schema(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    """They are what the handlers answered; every success has one."""
    for status, response in operation["responses"].items():
        for schema, shown in media(response):
            for example in shown.values():
                validator(schema).validate(example["value"])
                assert status[0] == "2" or example["value"]["status"] == int(status)
        if status[0] == "2":
            assert any(shown for _, shown in media(response)), (method, path, status)


@pytest.mark.parametrize("path", COMMAND_PATHS.values())
def test_every_example_request_is_read_as_it_says(path: str) -> None:
    """Those named malformed are refused, all others are commands; the schema agrees."""
    body = OPENAPI["paths"][path]["post"]["requestBody"]
    ((schema, shown),) = media(body)
    for title, example in shown.items():
        data = json.dumps(example["value"]).encode()
        if title == "malformed":
            with pytest.raises(InvalidCommandError):
                decode_command(data)
            assert not validator(schema).is_valid(example["value"])
        else:
            decode_command(data)
            validator(schema).validate(example["value"])


@pytest.mark.parametrize(
    ("method", "path"), [("put", "/webhooks/{id}"), ("post", "/webhooks/{id}/rotate")]
)
def test_every_example_request_about_webhooks_fits_its_schema(method: str, path: str) -> None:
    """Their form is what the schema says; what is refused is refused for what it asks."""
    ((schema, shown),) = media(OPENAPI["paths"][path][method]["requestBody"])
    assert shown
    for example in shown.values():
        validator(schema).validate(example["value"])


def test_several_commands_are_answered_as_their_own_routes_answer() -> None:
    """Each body in the answer fits the schema of its route's answer of that status."""
    operation = OPENAPI["paths"][INDEPENDENT_PATH]["post"]
    ((_, sent),) = media(operation["requestBody"])
    ((_, shown),) = media(operation["responses"]["200"])
    commands = sent["answers"]["value"]["commands"]
    answers = shown["answers"]["value"]["answers"]
    assert len(commands) == len(answers)
    for command, answer in zip(commands, answers, strict=True):
        own = OPENAPI["paths"][COMMAND_PATHS[command["type"]]]["post"]["responses"]
        ((schema, _),) = media(own[str(answer["status"])])
        validator(schema).validate(answer["body"])


def test_every_reason_is_described_where_it_may_be_answered() -> None:
    """None is missing from all routes but that of an unknown route, and those of system commands,
    which have none; each has its status."""
    described: set[str] = set()
    for operation in OPERATIONS.values():
        described |= {reason.code for reason in operation.refusals}
    assert {reason.code for reason in REASONS} - described == {"unknown_route", *OF_SYSTEM_COMMANDS}
    for method, path, operation in ROUTES:
        statuses = {int(status) for status in operation["responses"]}
        assert {int(r.status) for r in OPERATIONS[method, path].refusals} <= statuses


def test_commands_describe_every_way_to_be_malformed() -> None:
    """Whoever writes a client sees the whole set: a batch can have all that its commands can."""
    malformed = {reason.code for reason in REASONS if reason.kind is Kind.MALFORMED}
    batch = {reason.code for reason in OPERATIONS["POST", "/batches"].refusals}
    assert malformed - batch == OF_SYSTEM_COMMANDS
    for operation in OPERATIONS.values():
        if operation.command:
            own = {reason.code for reason in operation.refusals}
            assert own & malformed <= batch


def test_every_command_can_be_asked_of_what_it_would_do() -> None:
    """By one parameter, the same for all; several at once cannot."""
    for path in COMMAND_PATHS.values():
        parameters = OPENAPI["paths"][path]["post"]["parameters"]
        assert parameters == [{"$ref": "#/components/parameters/dry_run"}]
    assert "parameters" not in OPENAPI["paths"][INDEPENDENT_PATH]["post"]


def test_every_request_is_signed() -> None:
    """By Signature Version 4, on every route."""
    assert OPENAPI["security"] == [{"sigv4": []}]
    assert "sigv4" in OPENAPI["components"]["securitySchemes"]
    assert not any("security" in operation for _, _, operation in ROUTES)
