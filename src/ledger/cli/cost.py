"""The verb `cost`: what payments cost on this very stack, line by line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import JsonOption
from ledger.cli.output import table
from ledger.cli.project import project_root
from simulation.costs.workload import Pattern, Way

PAYMENTS_DEFAULT: Final = 1_000
_COMMANDS_MAX: Final = 500
#: The environment variable that switches the cache of states off.
_WITHOUT_CACHE: Final = {"LEDGER_STATE_CACHE": "0"}


def cost(
    *,
    tps: Annotated[
        float, typer.Option(min=0.001, help="Payments a second, day and night.")
    ] = 200.0,
    batch: Annotated[
        int,
        typer.Option(min=1, max=_COMMANDS_MAX, help="Payments in one request or message."),
    ] = 1,
    profile: Annotated[
        Pattern,
        typer.Option(
            help="Who pays whom: any customer another, one payer many, many one of a few merchants."
        ),
    ] = Pattern.TRANSFERS,
    via: Annotated[Way, typer.Option(help="How the payments come in.")] = Way.REST,
    payments: Annotated[
        int, typer.Option(min=1, help="Payments to count by. More are slower, and more exact.")
    ] = PAYMENTS_DEFAULT,
    prices: Annotated[
        Path | None, typer.Option(help="A price table instead of the one that is shipped.")
    ] = None,
    savings: Annotated[
        bool, typer.Option("--savings/--no-savings", help="Say what choices of design save.")
    ] = True,
    lines: Annotated[bool, typer.Option("--lines/--no-lines", help="Show every line.")] = True,
    as_json: JsonOption = False,
) -> None:
    """What payments cost on this stack, by the month and by the million.

    Nothing is deployed: so many payments run through the stack as it is synthesised, in the
    simulation, and what AWS would bill is counted. What is assumed: docs/cost.md.
    """
    with reporting(as_json) as output:
        from simulation.costs import report  # noqa: PLC0415
        from simulation.costs.bill import bill, read_cpu  # noqa: PLC0415
        from simulation.costs.measuring import measure  # noqa: PLC0415
        from simulation.costs.prices import SHIPPED, PricesError, read_prices  # noqa: PLC0415
        from simulation.costs.savings import Saving, compared  # noqa: PLC0415
        from simulation.costs.savings import savings as told  # noqa: PLC0415
        from simulation.costs.workload import Workload  # noqa: PLC0415
        from simulation.wiring.stack import read_wiring  # noqa: PLC0415

        try:
            priced = read_prices(prices or SHIPPED)
        except PricesError as error:
            raise UsageError(str(error)) from error
        wiring, cpu = read_wiring(project_root()), read_cpu()
        workload = Workload(tps=tps, batch=batch, way=via, pattern=profile, payments=payments)
        with output.step("counting"):
            whole = bill(measure(wiring, workload), priced, wiring, cpu)
            saved: list[Saving] = []
            if savings:
                cacheless = measure(wiring, workload, environment=_WITHOUT_CACHE)
                without = bill(cacheless, priced, wiring, cpu)
                saved += [*told(whole), compared("warm workers remember states", whole, without)]
            if savings and batch > 1:
                alone = Workload(tps=tps, batch=1, way=via, pattern=profile, payments=payments)
                without = bill(measure(wiring, alone), priced, wiring, cpu)
                saved.append(compared(f"{batch} payments in a request", whole, without))
        shown = [*report.head(whole), ""]
        areas = table(
            ("", "USD per million", "USD per month", "share"),
            report.area_rows(whole),
            right="USD per million month share",
        )
        output.result(report.value(whole, saved), *shown, areas, "", *report.sums(whole))
        if lines:
            columns = ("", "item", "paid for", "a payment", "USD per million", "USD per month")
            output.show("", table(columns, report.line_rows(whole.lines)))
        if saved:
            columns_saved = ("what a choice saves", "USD per million")
            output.show("", table(columns_saved, report.saving_rows(saved)))
