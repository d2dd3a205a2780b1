"""The verbs for templates: stored postings with parameters, defined once and posted by name."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from ledger.cli.connection import Connection, connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import (
    ConfigOption,
    DescriptionOption,
    DryRunOption,
    EffectiveAtOption,
    IdOption,
    JsonOption,
    MetadataOption,
    ReferenceOption,
    an_id,
    key_values,
    minor_units,
)
from ledger.cli.output import Output, Shown, fields, table
from ledger.cli.payments_shown import show_command
from ledger.cli.requests import answered, given, submitted
from ledger.cli.showing import outcome
from ledger.client.answers import Refused
from ledger.importers.instructions import SourceError

app = typer.Typer(
    help="Templates: stored postings with parameters.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

_SUFFIXES: Final = (".json", ".toml")
_FILE_BYTES_MAX: Final = 64 * 1024  # of a command
_NUMBERS: Final = frozenset({"amount", "bps"})

NameArgument = Annotated[
    str, typer.Argument(metavar="TEMPLATE", help="The template's name.", callback=an_id)
]
VersionOption = Annotated[
    int | None,
    typer.Option("--version", min=1, help="Which version: the newest, if left out."),
]


@app.command("define")
def define(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON or TOML (.json, .toml) with `template`, `parameters`, `postings` and, if "
            "wanted, `description`."
        ),
    ],
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Define the next version of a template: its first, if there is none. Versions never change.

    `ledger templates define card_sale.toml`
    """
    with reporting(as_json) as output:
        terms = _definition_in(file)
        command = {**terms, "type": "template.define", "v": 1, "id": id_ or str(uuid4())}
        accepted = submitted(connection(config), command, output, dry_run=dry_run)
        _show(
            output,
            accepted.body,
            ("status", outcome(accepted, "defined")),
            ("command", accepted.body["id"]),
        )


@app.command("show")
def show(
    template: NameArgument,
    version: VersionOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a template: what it needs, and what it makes of it."""
    with reporting(as_json) as output:
        _show(output, answered(_asked(connection(config), template, version)).body)


def pay_template(
    template: NameArgument,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="PARAMETER=VALUE", help="What each parameter stands for."),
    ] = None,
    *,
    version: VersionOption = None,
    id_: IdOption = None,
    reference: ReferenceOption = None,
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    effective_at: EffectiveAtOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post the payment that a template makes of parameters; amounts are in minor units.

    `ledger pay-template card_sale amount=10000 fee_bps=140 merchant=7`
    """
    with reporting(as_json) as output:
        ledger = connection(config)
        given_values = key_values(values or ())
        command = {
            "type": "payment.post_template",
            "v": 1,
            "id": id_ or str(uuid4()),
            "template": template,
            "parameters": _arguments(given_values, _kinds(ledger, template, version)),
            **given(
                template_version=version,
                reference=reference,
                description=description,
                metadata=key_values(metadata) if metadata else None,
                effective_at=effective_at,
            ),
        }
        show_command(output, submitted(ledger, command, output, dry_run=dry_run))


def _definition_in(path: Path) -> dict[str, Any]:
    """The object in a file of JSON or TOML. Raises SourceError."""
    if path.suffix not in _SUFFIXES:
        raise SourceError(path, None, "ends neither in .json nor in .toml")
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > _FILE_BYTES_MAX:
            raise SourceError(path, None, f"has more than {_FILE_BYTES_MAX} characters")
        found = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise SourceError(path, None, error.strerror or "cannot be read") from error
    except ValueError as error:  # of either form, or no UTF-8
        raise SourceError(path, None, str(error)) from error
    if not isinstance(found, dict):
        raise SourceError(path, None, "is not an object")
    return found


def _asked(ledger: Connection, template: str, version: int | None) -> Any:
    query = None if version is None else {"version": str(version)}
    return ledger.api().template(template, query)


def _kinds(ledger: Connection, template: str, version: int | None) -> dict[str, str]:
    """Of what kind each parameter is; nothing of a template that is not there, as the ledger says
    so itself when the payment is sent."""
    reply = _asked(ledger, template, version)
    if isinstance(reply, Refused) and reply.status == HTTPStatus.NOT_FOUND:
        return {}
    return {one["name"]: one["kind"] for one in answered(reply).body["parameters"]}


def _arguments(values: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, int | str]:
    """Amounts and basis points as integers, all else as text. Raises UsageError."""
    found: dict[str, int | str] = {}
    for name, value in values.items():
        if kinds.get(name) not in _NUMBERS:
            found[name] = value
            continue
        try:
            found[name] = minor_units(value)
        except typer.BadParameter as error:
            raise UsageError(f"{name}: {error}") from None
    return found


def _show(output: Output, body: Mapping[str, Any], *facts: tuple[str, str]) -> None:
    described = [("description", body["description"])] if body.get("description") else []
    shown: list[Shown] = [
        fields(
            (
                ("template", body["template"]),
                ("version", str(body["version"])),
                *described,
                *facts,
            )
        ),
        "",
        table(("parameter", "kind"), ((p["name"], p["kind"]) for p in body["parameters"])),
        "",
        table(
            ("debited", "credited", "amount", "currency"),
            (
                (p["source"], p["destination"], _amount(p["amount"]), p["currency"])
                for p in body["postings"]
            ),
        ),
    ]
    output.result(body, *shown)


def _amount(rule: Mapping[str, Any]) -> str:
    """How much a posting moves, in words."""
    if rule.get("remainder"):
        return f"what is left of {rule['of']}"
    if "bps" in rule:
        bps = rule["bps"]
        share = f"{bps / 100:g} %" if isinstance(bps, int) else f"{bps} (bps)"
        return f"{share} of {rule['of']}, {rule.get('rounding', 'half_even')}"
    return str(rule["of"])
