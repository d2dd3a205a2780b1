"""The verb `up`."""

from __future__ import annotations

import socket
import time
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.connection import Connection
from ledger.cli.failures import CheckFailedError, UsageError, reporting
from ledger.cli.interrupts import terminated_like_interrupted
from ledger.cli.options import JsonOption
from ledger.cli.up.local import config_of
from ledger.cli.up.summary import what_to_try
from ledger.cli.up.work import Input, work
from ledger.client import config as configuration
from ledger.contracts.commands import PostPayment, decode_command
from ledger.importers import berka, oxford
from ledger.importers.generated import PAYMENTS_DEFAULT, SEED_DEFAULT, generate
from ledger.importers.instructions import POSTED
from ledger.runtime.clock import wall_clock
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.endpoint import Deployment

PORT_USUAL: Final = 4566
LOOK_SECONDS: Final = 10.0  # how soon it is noticed that the emulator died
ROWS_DEFAULT: Final = 3_000  # of 28,205 or 57,692: what a few minutes are enough for
DATA_DIRECTORY: Final = Path("../shared/data")


class Data(StrEnum):
    """What is fed."""

    GENERATED = "generated"
    BERKA = "berka"
    OXFORD = "oxford"


def up(
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"How many payments: {PAYMENTS_DEFAULT:,} generated ones or the first "
            f"{ROWS_DEFAULT:,} rows, if left out.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Data,
        typer.Option(
            help="generated: made up from a seed; berka: a bank's 1993; oxford: a city's payments."
        ),
    ] = Data.GENERATED,
    directory: Annotated[
        Path | None,
        typer.Option(
            help=f"Where the files of --data are: {DATA_DIRECTORY}/NAME if left out.",
            show_default=False,
        ),
    ] = None,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End after the verification; fail if a check fails.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help=f"Of the emulator, on 127.0.0.1: {PORT_USUAL} if left out, or a free one if that "
            "is taken.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated payments.")] = SEED_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Run the whole stack on this machine and feed it payments.

    Synthesises the CDK app, starts the embedded AWS emulator, deploys the template to it, sends
    payments through REST, bus and queue, waits for the projections, verifies, sums up, and stays
    until Ctrl-C. Every start begins empty.
    """
    with reporting(as_json) as output:
        root = _project_root()
        given = _input(data, directory, count, seed)
        # Not at the top: only this verb needs the sandbox, and a deployed command has none.
        from sandbox.stack import running_stack  # noqa: PLC0415

        started = time.monotonic()
        with (
            terminated_like_interrupted(),
            running_stack(root, output.note, port=port or _usual_port()) as deployment,
        ):
            output.note(f"the stack is up after {time.monotonic() - started:.1f} s")
            path = root / configuration.LOCAL_PATH
            config = config_of(deployment)
            configuration.save(config, path)
            try:
                summary = work(Connection(config), given, output, clock=wall_clock)
                shown = summary.as_shown()
                if not once:
                    shown += what_to_try(_endpoints(deployment, path), *_payer(given))
                output.result(summary.as_value(), *shown)
                if not once:
                    output.note("the stack stays up until Ctrl-C")
                    _until_interrupted(deployment)
            finally:
                path.unlink(missing_ok=True)  # what it names is gone
        if not summary.ok:
            raise CheckFailedError


def _project_root() -> Path:
    here = Path.cwd()
    if not (here / "cdk.json").is_file():
        raise UsageError(f"{here} is not the project's directory: it has no cdk.json")
    return here


def _input(data: Data, directory: Path | None, count: int | None, seed: int) -> Input:
    if data is Data.GENERATED:
        return Input(generate(count or PAYMENTS_DEFAULT, seed=seed))
    found, rows_max = directory or DATA_DIRECTORY / data, count or ROWS_DEFAULT
    if data is Data.OXFORD:
        return Input(oxford.read(found, rows_max=rows_max).source())
    statement = berka.read(found, rows_max=rows_max)
    return Input(statement.source(), statement)


def _endpoints(deployment: Deployment, config: Path) -> dict[str, str]:
    return {
        "REST API": deployment.api_url,
        "ingress bus": deployment.outputs["IngressBusName"],
        "FIFO queue": deployment.outputs["CommandsFifoQueueUrl"],
        "AWS endpoint": deployment.endpoint_url,
        "configuration": str(config),
        "functions' log": str(deployment.log_file),
    }


def _payer(given: Input) -> tuple[str, str, str]:
    """The account that paid most often, whom it paid first, and in which currency."""
    posted = [
        command
        for instruction in given.source
        if instruction.expected == POSTED
        and isinstance(command := decode_command(instruction.body), PostPayment)
    ]
    ((payer, _),) = Counter(
        command.postings[0].source for command in posted if _is_customer(command)
    ).most_common(1) or [(posted[0].postings[0].destination, 1)]
    first = next(
        (c.postings[0] for c in posted if c.postings[0].source == payer), posted[0].postings[0]
    )
    other = first.destination if first.source == payer else first.source
    return payer, other, first.currency


def _is_customer(command: PostPayment) -> bool:
    return command.postings[0].source.startswith(("customers:", "berka:account:", "oxford:"))


def _usual_port() -> int | None:
    """The usual port, or None (a free one) if something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT_USUAL))
        except OSError:
            return None
    return PORT_USUAL


def _until_interrupted(deployment: Deployment) -> None:
    """Returns at Ctrl-C. Raises SandboxError if the emulator ends before."""
    try:
        while deployment.is_healthy():
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        return
    raise SandboxError(f"the emulator has ended by itself; its log is {deployment.log_file}")
