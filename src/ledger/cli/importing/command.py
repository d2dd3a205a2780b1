"""The verb `import`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import CheckFailedError, FaultySourceError, UsageError, reporting
from ledger.cli.feeding.bulk import gathered
from ledger.cli.feeding.lanes import Lanes
from ledger.cli.importing.duplicates import differing_from_before
from ledger.cli.importing.openings import before_their_openings
from ledger.cli.importing.report import Part, shown
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import Output
from ledger.client.answers import UnreachableError
from ledger.client.rest import LedgerApi
from ledger.importers.effective_times import Times
from ledger.importers.instructions import Instruction, SourceError
from ledger.importers.payment_file import PaymentFile, judge
from ledger.importers.payments_csv import AccountsCsv, PaymentsCsv, account_map
from ledger.runtime.clock import wall_clock

THREADS_MAX: Final = 64
ACCOUNTS: Final = "accounts"
_ACCOUNTS_NOT_SKIPPED: Final = (
    "nothing was sent: --skip-invalid skips no accounts, since payments of accounts that were "
    "never opened would be refused for ever; correct the rows of --accounts"
)


class Format(StrEnum):
    """The formats of payments."""

    CSV = "csv"
    PAIN_001 = "pain.001"


def import_file(
    file: Annotated[
        Path | None, typer.Argument(help="The payments.", metavar="FILE", show_default=False)
    ] = None,
    *,
    file_format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="csv: a payment a row; pain.001: ISO 20022 customer credit transfers. By the "
            "file's ending (.csv, .xml) if left out.",
            show_default=False,
        ),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(help="A CSV file of accounts to open first.", show_default=False),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--account-map",
            help="For pain.001: a CSV file of IBANs (or other ids) and the accounts they mean.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge the files and send nothing.")
    ] = False,
    skip_invalid: Annotated[
        bool,
        typer.Option(
            "--skip-invalid",
            help="Send the other rows of a CSV file of payments that has faults. No row of "
            "--accounts is ever skipped.",
        ),
    ] = False,
    threads: Annotated[
        int,
        typer.Option(
            min=1,
            max=THREADS_MAX,
            help="Requests on their way at a time. With more than 1 only the payments of one "
            "source account keep their order.",
        ),
    ] = 1,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import payments from a file. To import a file twice moves nothing.

    `ledger import payments.csv --accounts accounts.csv`

    Every row is judged before the first is sent: of a file with a fault nothing is sent.
    """
    with reporting(as_json) as output:
        parts, times = _parts(file, file_format, accounts, mapping, skip_invalid=skip_invalid)
        faulty = any(part.judged.faults.count for part in parts)
        without_account = any(part.name == ACCOUNTS and part.judged.faults.count for part in parts)
        if dry_run or without_account or (faulty and not skip_invalid):
            _tell(output, parts, sent=False)
            if without_account and skip_invalid:
                output.note(_ACCOUNTS_NOT_SKIPPED)
            if faulty:
                raise FaultySourceError
            return
        api = connection(config).api(threads)
        _refuse_payments_before_openings(api, output, parts, times)
        if any(part.name == Format.PAIN_001 for part in parts):
            _refuse_other_message_before(api, output, parts, threads)
        for part in parts:
            _send(api, output, part, threads)
            if part.answers.refused:
                break  # payments of accounts that are not as asked for would be refused for ever
        _tell(output, parts, sent=True)
        if any(part.answers.refused for part in parts):
            raise CheckFailedError


def _parts(
    file: Path | None,
    file_format: Format | None,
    accounts: Path | None,
    mapping: Path | None,
    *,
    skip_invalid: bool,
) -> tuple[list[Part], Times]:
    """The files, judged: accounts before payments; and the times by which they were.

    Raises SourceError or UsageError.
    """
    if file is None and accounts is None:
        raise UsageError("give a file of payments, or --accounts, or both")
    times = Times(wall_clock())
    parts: list[Part] = []
    if accounts is not None:
        openings = AccountsCsv(_file(accounts), times)
        parts.append(Part(ACCOUNTS, judge(openings)))
        times = Times(times.now, openings.opened_at())
    if file is None:
        return parts, times
    chosen = file_format or _format_of(file)
    if chosen is Format.CSV and mapping is not None:
        raise UsageError("--account-map is for pain.001: a CSV file names accounts of the ledger")
    if chosen is Format.PAIN_001 and skip_invalid:
        raise UsageError("a message of pain.001 is taken as a whole or not at all")
    parts.append(Part(chosen, judge(_payments(_file(file), times, chosen, mapping))))
    return parts, times


def _payments(path: Path, times: Times, chosen: Format, mapping: Path | None) -> PaymentFile:
    if chosen is Format.CSV:
        return PaymentsCsv(path, times)
    # Not at the top: what reads XML takes as long to import as all the rest of the command.
    from ledger.importers.iso20022 import pain001  # noqa: PLC0415

    mapped = None if mapping is None else account_map(_file(mapping))
    return pain001.read(path, times, mapped=mapped)


def _format_of(path: Path) -> Format:
    found = {".csv": Format.CSV, ".xml": Format.PAIN_001}.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path} ends neither in .csv nor in .xml: give --format")
    return found


def _file(path: Path) -> Path:
    """`path`, if it is a file that can be read twice. Raises SourceError."""
    if not path.is_file():
        raise SourceError(path, None, "is not a file" if path.exists() else "no such file")
    return path


def _refuse_payments_before_openings(
    api: LedgerApi, output: Output, parts: Sequence[Part], times: Times
) -> None:
    """Ends the verb if accounts would be opened now whose payments are effective earlier."""
    if len(parts) < 2:  # no payments, or no accounts
        return
    undated = {account for account, opened_at in times.opened_at.items() if opened_at is None}
    faults = before_their_openings(api, parts[-1].judged, undated, times.now)
    if faults.count:
        parts[-1].judged.faults = faults
        _tell(output, parts, sent=False)
        raise FaultySourceError


def _refuse_other_message_before(
    api: LedgerApi, output: Output, parts: Sequence[Part], threads: int
) -> None:
    """Ends the verb if what the message identifies was decided before, and was something else."""
    judged = parts[-1].judged
    with output.bar("looking for the message", judged.sendable_rows) as bar:
        faults = differing_from_before(api, judged, threads=threads, advance=bar.advance)
    if faults.count:
        judged.faults = faults
        _tell(output, parts, sent=False)
        raise CheckFailedError


def _send(api: LedgerApi, output: Output, part: Part, threads: int) -> None:
    with output.bar(part.name, part.judged.sendable_rows) as bar:

        def work(together: Sequence[Instruction]) -> None:
            replies = api.send_each([(one.command_type, one.body) for one in together])
            for instruction, reply in zip(together, replies, strict=True):
                part.answers.add(instruction, reply)
            bar.advance(len(together))

        try:
            rows = gathered(part.judged.sendable(), threads)
            Lanes(threads, work).run(rows, lambda ones: ones[0].ordering_key)
        except (UnreachableError, KeyboardInterrupt):
            output.note(f"{bar.done:,} were answered: import the same file again to go on")
            raise


def _tell(output: Output, parts: Sequence[Part], *, sent: bool) -> None:
    value: dict[str, Any] = {
        "sent": sent,
        "parts": [{"name": part.name, **part.as_value()} for part in parts],
    }
    output.result(value, *shown(parts, sent=sent))
