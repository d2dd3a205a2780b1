"""The verb `load`: a whole source, through one entry point."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import CheckFailedError, UsageError, reporting
from ledger.cli.feeding.feed import THREADS_DEFAULT, Feed
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.feeding.routes import Entry, keeps_order, through_one
from ledger.cli.importing.report import faults_shown
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import Output, table
from ledger.importers import berka, oxford
from ledger.importers.generated import PAYMENTS_DEFAULT, SEED_DEFAULT, generate
from ledger.importers.instructions import Source


class Format(StrEnum):
    """The sources that can be read."""

    GENERATED = "generated"
    BERKA = "berka"
    OXFORD = "oxford"


def load(
    directory: Annotated[
        Path | None,
        typer.Argument(help="Where the source's files are.", show_default=False),
    ] = None,
    *,
    source_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="generated: made up from a seed; berka: a bank's 1993; oxford: a city's payments.",
        ),
    ] = Format.GENERATED,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            min=1,
            help=f"How many payments: {PAYMENTS_DEFAULT:,} of the generated, all of a file, if "
            "left out.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated payments.")] = SEED_DEFAULT,
    through: Annotated[
        Entry, typer.Option(help="The entry point. Only rest answers; bus keeps no order.")
    ] = Entry.REST,
    threads: Annotated[
        int, typer.Option(min=1, max=64, help="Requests on their way at a time, over rest.")
    ] = THREADS_DEFAULT,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load payments as ordinary commands. To load a source twice moves nothing.

    `ledger load ../shared/data/berka --format berka -n 3000`

    Fails if the ledger answers anything but what the source foresees, naming the first 20. Rows
    that are no payments are named with field and reason; they are part of what is foreseen.
    """
    with reporting(as_json) as output:
        ledger = connection(config)
        source = read_source(source_format, directory, count=count, seed=seed)
        if not keeps_order(source.phases, through):
            raise UsageError(
                f"the rows of {source.name} must be decided in their order, and the bus keeps "
                "none: load them through rest or queue"
            )
        outcomes = Outcomes()
        with output.bar(source.name, len(source)) as bar:
            feed = Feed(ledger, outcomes, threads=threads, advance=bar.advance)
            feed.send(source.phases, lambda phase: through_one(phase, through))
        _show(output, source, outcomes)


def read_source(
    source_format: Format, directory: Path | None, *, count: int | None, seed: int
) -> Source:
    """The source that the options name. Raises SourceError or UsageError."""
    if source_format is Format.GENERATED:
        if directory is not None:
            raise UsageError("generated payments come from no directory")
        return generate(count or PAYMENTS_DEFAULT, seed=seed)
    if directory is None:
        raise UsageError(f"--format {source_format} needs the directory of its files")
    read = berka.read if source_format is Format.BERKA else oxford.read
    return read(directory, rows_max=count).source()


def _show(output: Output, source: Source, outcomes: Outcomes) -> None:
    result: dict[str, Any] = {
        "source": source.name,
        "sent": {str(entry): count for entry, count in outcomes.sent.items()},
        "answered": dict(outcomes.answered),
        "unforeseen": outcomes.surprised,
        "first_unforeseen": [surprise._asdict() for surprise in outcomes.surprises],
        "refused_rows": [asdict(fault) for fault in source.faults],
    }
    shown: list[Any] = [
        table(("entry", "sent"), ((e, str(n)) for e, n in outcomes.sent.items()), right="sent")
    ]
    if outcomes.sent.keys() - {Entry.REST}:
        shown += ["", "bus and queue give no answer: `ledger payment ID` shows what was decided"]
    if outcomes.answered:
        rows = ((outcome, str(n)) for outcome, n in outcomes.answered.most_common())
        shown += ["", table(("outcome", "answers"), rows, right="answers")]
    shown += faults_shown(source.faults)
    if outcomes.surprises:
        shown += [
            "",
            f"{outcomes.surprised} came to another outcome than the source foresees:",
            table(("origin", "command", "foreseen", "outcome"), outcomes.surprises),
        ]
    output.result(result, *shown)
    if outcomes.surprised:
        raise CheckFailedError
