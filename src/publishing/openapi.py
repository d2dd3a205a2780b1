"""The OpenAPI 3.1 description of the REST API, all of its routes.

Schemas come from the Structs of commands and answers, refusals from the table of reasons, examples
from real exchanges. Written by hand is only what no code says: what each route is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from ledger.contracts import problems
from ledger.contracts.reasons import REASONS
from ledger.contracts.schemas import Schema, explained
from publishing.answer_meanings import meanings_of
from publishing.exchanges import Exchange
from publishing.operations import (
    HEADERS,
    HEADERS_OF_COMMANDS,
    OPERATIONS,
    PARAMETERS,
    STATUS_TEXT,
    Operation,
)

JSON: Final = "application/json"
_SCHEMAS: Final = "#/components/schemas/"


def description(shown: Iterable[Exchange]) -> Schema:
    """The whole description, with `shown` as its examples."""
    by_route: dict[tuple[str, str], list[Exchange]] = {route: [] for route in OPERATIONS}
    for exchange in shown:
        by_route[exchange.route].append(exchange)
    references, schemas = _schemas()
    paths: dict[str, Schema] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(
            operation, references, by_route[method, path]
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ledger",
            "version": "1",
            "summary": "Payment commands in, immutable double-entry events out.",
            "description": "Money is an integer of the currency's minor unit. Times are RFC 3339. "
            "Every command has an id that its sender chose; sending it again is always safe and "
            "never moves money twice. Refusals are problem details (RFC 9457): branch on `reason`, "
            "do what `retry` says.",
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
                "variables": {"api": {"default": "api"}, "region": {"default": "eu-central-1"}},
            }
        ],
        "security": [{"sigv4": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {
                name: {"name": name, **parameter} for name, parameter in PARAMETERS.items()
            },
            "headers": HEADERS,
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4, service `execute-api`.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
    }


def _schemas() -> tuple[dict[type[Struct], Schema], Schema]:
    """References to the schema of each Struct that is sent or answered, and all schemas."""
    structs = [body for operation in OPERATIONS.values() if (body := _body_of(operation))]
    structs += [
        struct
        for operation in OPERATIONS.values()
        for answers in operation.answers.values()
        for struct in answers
    ]
    unique = list(dict.fromkeys(structs))
    references, definitions = msgspec.json.schema_components(
        unique, ref_template=_SCHEMAS + "{name}"
    )
    schemas = {
        name: explained(definition, meanings_of(name)) for name, definition in definitions.items()
    }
    schemas |= {"Problem": _problem_schema(), "Fault": _fault_schema()}
    return dict(zip(unique, references, strict=True)), dict(sorted(schemas.items()))


def _problem_schema() -> Schema:
    text: Schema = {"type": "string"}
    return {
        "title": "Problem",
        "description": "RFC 9457 problem details. Members may be added.",
        "type": "object",
        "required": ["type", "title", "status", "reason", "retry"],
        "properties": {
            "type": {"type": "string", "description": "`urn:ledger:problem:` and the reason."},
            "title": {"type": "string", "description": "What the reason means, for people."},
            "status": {"type": "integer", "description": "The HTTP status."},
            "reason": {
                "type": "string",
                "enum": [reason.code for reason in REASONS],
                "description": "The reason; docs/errors.md has them all.",
            },
            "retry": {
                "enum": ["same_request", "new_id", "never"],
                "description": "What may be tried.",
            },
            "field": {**text, "description": "The path of the field at fault."},
            "errors": {
                "type": "array",
                "items": {"$ref": _SCHEMAS + "Fault"},
                "description": "Every fault of a malformed command, by precedence; 50 at most.",
            },
            "fields": {
                "type": "array",
                "items": text,
                "description": "The fields in which a repeat differs from what was decided.",
            },
            "id": {**text, "description": "The command's id, if it was decided."},
            "recorded_at": {**text, "description": "When the refusal was recorded."},
            "repeat": {
                "type": "boolean",
                "description": "Whether the refusal had been recorded before this request.",
            },
            "dry_run": {
                "type": "boolean",
                "description": "There if it was a dry run: nothing was recorded.",
            },
            "causes": {
                "type": "array",
                "items": {"$ref": _SCHEMAS + "Cause"},
                "description": "The states that caused the refusal.",
            },
        },
    }


def _fault_schema() -> Schema:
    return {
        "title": "Fault",
        "description": "One fault of a malformed command.",
        "type": "object",
        "required": ["reason", "field"],
        "properties": {
            "reason": {"type": "string", "description": "The reason."},
            "field": {"type": "string", "description": "Where; empty for the body as a whole."},
        },
    }


def _operation(
    operation: Operation, references: Mapping[type[Struct], Schema], shown: list[Exchange]
) -> Schema:
    optional: Schema = {}
    if operation.parameters:
        optional["parameters"] = [
            {"$ref": f"#/components/parameters/{name}"} for name in operation.parameters
        ]
    if body := _body_of(operation):
        sent = {each.title: each.request for each in shown if each.request is not None}
        schema = references[body]
        optional["requestBody"] = {
            # One whose every field has a default may be left out.
            "required": bool(msgspec.structs.fields(body)[0].required),
            "content": {JSON: {"schema": schema, **_examples(sent)}},
        }
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        **optional,
        "responses": {
            str(status): response
            for status, response in sorted(_responses(operation, references, shown).items())
        },
    }


def _body_of(operation: Operation) -> type[Struct] | None:
    return operation.command or operation.body


def _responses(
    operation: Operation, references: Mapping[type[Struct], Schema], shown: list[Exchange]
) -> dict[int, Schema]:
    responses: dict[int, Schema] = {}
    for status, structs in operation.answers.items():
        schemas = [references[struct] for struct in structs]
        schema: Schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
        text = " ".join(map(_first_sentence, structs))
        responses[status] = _response(
            operation, status, text=text, media_type=JSON, schema=schema, shown=shown
        )
    for status in {int(reason.status) for reason in operation.refusals}:
        codes = [f"`{reason.code}`" for reason in operation.refusals if reason.status == status]
        text = f"{STATUS_TEXT[status]} Reasons: {', '.join(codes)}."
        schema = {"$ref": _SCHEMAS + "Problem"}
        responses[status] = _response(
            operation,
            status,
            text=text,
            media_type=problems.CONTENT_TYPE,
            schema=schema,
            shown=shown,
        )
    return responses


def _response(
    operation: Operation,
    status: int,
    *,
    text: str,
    media_type: str,
    schema: Schema,
    shown: list[Exchange],
) -> Schema:
    answered = {exchange.title: exchange.body for exchange in shown if exchange.status == status}
    headers: tuple[str, ...] = ("Retry-After",) if status == 503 else ()
    if operation.command is not None:
        headers += HEADERS_OF_COMMANDS.get(status, ())
    optional: Schema = {}
    if headers:
        optional["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {
        "description": text,
        **optional,
        "content": {media_type: {"schema": schema, **_examples(answered)}},
    }


def _examples(values: Mapping[str, object]) -> Schema:
    if not values:
        return {}
    return {"examples": {name: {"value": value} for name, value in values.items()}}


def _first_sentence(struct: type[Struct]) -> str:
    text = " ".join((struct.__doc__ or "").split())
    return text.partition(". ")[0].rstrip(".") + "."
