"""The verb `metadata`: texts beside an account or a payment, which payments never rewrite."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import (
    ConfigOption,
    DryRunOption,
    IdOption,
    JsonOption,
    an_id,
    key_values,
)
from ledger.cli.output import fields
from ledger.cli.requests import answered, refuse_without_change, submitted
from ledger.cli.showing import in_words, outcome


class Subject(StrEnum):
    """What has metadata."""

    ACCOUNT = "account"
    PAYMENT = "payment"


def metadata(
    subject: Annotated[Subject, typer.Argument(help="Of an account, or of a payment.")],
    subject_id: Annotated[str, typer.Argument(metavar="ID", help="Its id.", callback=an_id)],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="All that it shall have: at most 16 texts, in place of those that there are.",
            show_default=False,
        ),
    ] = None,
    *,
    clear: Annotated[bool, typer.Option("--clear", help="No metadata any more.")] = False,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the metadata of an account or a payment, or set them, in place of those that it has.

    `ledger metadata account customers:42:wallet segment=retail branch=7`
    """
    with reporting(as_json) as output:
        if clear and values:
            raise UsageError("give KEY=VALUE, as often as you like, or else --clear")
        ledger = connection(config)
        if not (clear or values):
            refuse_without_change(id_, dry_run=dry_run)
            body = answered(ledger.api().metadata(subject.value, subject_id)).body
            output.result(body, fields(_facts(body)))
            return
        command = {
            "type": "metadata.set",
            "v": 1,
            "id": id_ or str(uuid4()),
            "subject": subject.value,
            "subject_id": subject_id,
            "metadata": key_values(values or ()),
        }
        accepted = submitted(ledger, command, output, dry_run=dry_run)
        facts = (
            ("status", outcome(accepted, "set")),
            *_facts(accepted.body),
            ("command", accepted.body["id"]),
        )
        output.result(accepted.body, fields(facts))


def _facts(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (
        (body["subject"], body["subject_id"]),
        ("metadata", in_words(body.get("metadata", {}))),
        ("version", str(body["version"])),
    )
