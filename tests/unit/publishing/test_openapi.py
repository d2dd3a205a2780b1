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
from publishing.operations import OPERATIONS

OPENAPI: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8")
)
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
        ("POST", "/accounts"),
        ("POST", "/alerts"),
        ("GET", "/accounts/{id}/alerts"),
        ("GET", "/accounts/{id}"),
        ("GET", "/accounts/{id}/history"),
        ("POST", "/payments"),
        ("GET", "/payments/{id}"),
        ("GET", "/payments/{id}/screening"),
        ("GET", "/reviews"),
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


@pytest.mark.parametrize("path", ["/accounts", "/payments"])
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


def test_every_reason_is_described_where_it_may_be_answered() -> None:
    """No reason but that of an unknown route is missing from all routes; each has its status."""
    described: set[str] = set()
    for operation in OPERATIONS.values():
        described |= {reason.code for reason in operation.refusals}
    assert {reason.code for reason in REASONS} - described == {"unknown_route"}
    for method, path, operation in ROUTES:
        statuses = {int(status) for status in operation["responses"]}
        assert {int(r.status) for r in OPERATIONS[method, path].refusals} <= statuses


def test_commands_describe_every_way_to_be_malformed() -> None:
    """Whoever writes a client sees the whole set."""
    malformed = {reason for reason in REASONS if reason.kind is Kind.MALFORMED}
    for operation in OPERATIONS.values():
        if operation.command:
            assert malformed <= set(operation.refusals)


def test_every_request_is_signed() -> None:
    """By Signature Version 4, on every route."""
    assert OPENAPI["security"] == [{"sigv4": []}]
    assert "sigv4" in OPENAPI["components"]["securitySchemes"]
    assert not any("security" in operation for _, _, operation in ROUTES)
