"""Writes the tables of docs/performance.md whose figures are in bench/results.

    python -m bench.tables

A table stands between a comment that names it and one that ends it; what surrounds them is written
by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import end_to_end, payment_tables, results
from bench.engine import say
from bench.markdown import rows_of, shown

REPORT: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
Rows = list[dict[str, Any]]
_LANES: Final = (1, 2, 4, 8, 16, 32)


def put(text: str, name: str, table: Sequence[str]) -> str:
    """`text` with that table in its place. Raises ValueError if there is no such place, or two."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"the report must have one place for {name}")
    made = "\n".join((begin, *table, end))
    return pattern.sub(lambda _: made, text)


def one_account(found: dict[str, Rows]) -> list[str]:
    """Payments a second on one account, by how many write to it."""
    names = dict.fromkeys(row["name"] for row in found["one_account"])
    return rows_of(
        ["payments/s with … writers", *map(str, _LANES)],
        (
            [
                name,
                *(
                    shown(_one(found["one_account"], name, n)["payments_per_second"])
                    for n in _LANES
                ),
            ]
            for name in names
        ),
    )


def attempts(found: dict[str, Rows]) -> list[str]:
    """99th percentiles, and attempts for each commit."""
    names = dict.fromkeys(row["name"] for row in found["one_account"])
    return rows_of(
        ["p99 ms / attempts a commit, with … writers", *map(str, _LANES)],
        (
            [name, *(_p99_and_attempts(_one(found["one_account"], name, n)) for n in _LANES)]
            for name in names
        ),
    )


def one_lane(found: dict[str, Rows]) -> list[str]:
    """One lane, by how long transactions take."""
    rows = found["one_lane"]
    levels = list(dict.fromkeys(row["full_ms"] for row in rows))
    return rows_of(
        ["payments/s where a full transaction takes …", *(f"{level:g} ms" for level in levels)],
        (
            [name, *(shown(_at(rows, name, level)["payments_per_second"]) for level in levels)]
            for name in dict.fromkeys(row["name"] for row in rows)
        ),
    )


def sixteen_lanes(found: dict[str, Rows]) -> list[str]:
    """16 lanes that share a payee, next to 16 that do not."""
    rows = found["sixteen_lanes"]
    levels = list(dict.fromkeys(row["full_ms"] for row in rows))
    names = list(dict.fromkeys(row["name"] for row in rows))
    own = names[-1]

    def cell(name: str, level: float) -> str:
        rate = _at(rows, name, level)["payments_per_second"]
        share = rate["median"] / _at(rows, own, level)["payments_per_second"]["median"]
        return shown(rate) if name == own else f"{shown(rate)}, {share:.0%}"

    return rows_of(
        ["payments/s where a full transaction takes …", *(f"{level:g} ms" for level in levels)],
        ([name, *(cell(name, level) for level in levels)] for name in names),
    )


def stripes(found: dict[str, Rows]) -> list[str]:
    """32 writers, with more and more stripes."""
    rows = found["stripes"]
    at = list(dict.fromkeys(row["stripes"] for row in rows))
    return rows_of(
        ["payments/s of 32 writers with … stripes", *map(str, at)],
        (
            [
                form,
                *(
                    shown(row["payments_per_second"])
                    for row in rows
                    if row["name"].startswith(form)
                ),
            ]
            for form in ("one by one", "groups of 49")
        ),
    )


def plain(series: str) -> Callable[[dict[str, Rows]], list[str]]:
    """Each case of a series with its most important figures."""

    def table(found: dict[str, Rows]) -> list[str]:
        return rows_of(
            [
                "case",
                "lanes",
                "stripes",
                "payments/s",
                "refused",
                "p99 ms",
                "attempts a commit",
                "write units a payment",
            ],
            (
                [
                    row["name"],
                    str(row["lanes"]),
                    str(row["stripes"]),
                    shown(row["payments_per_second"]),
                    shown(row["refused"]),
                    shown(row["p99_ms"]),
                    shown(row["attempts_per_commit"], 2),
                    shown(row["write_units_per_payment"], 2),
                ]
                for row in found[series]
            ),
        )

    return table


def cache(found: dict[str, Rows]) -> list[str]:
    """Remembering states, next to reading them."""
    rows = found["cache"]
    at = list(dict.fromkeys(row["affinity"] for row in rows))
    return rows_of(
        ["share of own accounts", *(f"{one:.0%}" for one in at)],
        (
            [f"{name}: {title}", *(shown(_own(rows, name, one)[y], digits) for one in at)]
            for title, y, digits in (
                ("payments/s", "payments_per_second", 0),
                ("reads a payment", "reads_per_payment", 2),
                ("write units a payment", "write_units_per_payment", 2),
            )
            for name in ("states remembered", "states read")
        ),
    )


def hot_engine(rows: Rows) -> list[str]:
    """One account on the embedded engine."""
    lanes = list(dict.fromkeys(row["lanes"] for row in rows))

    def cell(row: dict[str, Any]) -> str:
        return (
            f"{shown(row['payments_per_second'])}; {shown(row['p99_ms']['median'])} ms; "
            f"{shown(row['attempts_per_commit']['median'], 2)}"
        )

    return rows_of(
        ["payments/s; p99; attempts a commit, with … writers", *map(str, lanes)],
        (
            [name, *(cell(_one(rows, name, n)) for n in lanes)]
            for name in dict.fromkeys(row["name"] for row in rows)
        ),
    )


def groups(found: dict[str, Rows]) -> list[str]:
    """What a payment takes in groups."""
    return rows_of(
        ["group", "client CPU ms a payment", "write units", "requests", "answer ms, p50"],
        (
            [
                f"{row['group']}, {row['between']}",
                shown(row["client_cpu_ms_a_payment"], 3),
                shown(row["write_units_a_payment"], 2),
                shown(row["requests_a_payment"], 3),
                shown(row["call_ms_p50"], 1),
            ]
            for row in found["groups"]
        ),
    )


def postings(found: dict[str, Rows]) -> list[str]:
    """What a payment takes by its postings, and what DynamoDB would take for it in the model."""
    expected = {(row["postings"], row["full_ms"]): row["mean_ms"] for row in found["latency"]}
    levels = list(dict.fromkeys(row["full_ms"] for row in found["latency"]))
    return rows_of(
        [
            "postings",
            "write units",
            "requests",
            "client CPU ms",
            "answer ms on the engine, p50",
            *(f"modelled ms (full: {level:g} ms)" for level in levels),
        ],
        (
            [
                str(row["postings"]),
                shown(row["write_units_a_payment"], 1),
                shown(row["requests_a_payment"], 2),
                shown(row["client_cpu_ms_a_payment"], 2),
                shown(row["call_ms_p50"], 1),
                *(shown(expected[row["postings"], level], 1) for level in levels),
            ]
            for row in found["postings"]
        ),
    )


def accounts(found: dict[str, Rows]) -> list[str]:
    """What a payment takes as the ledger grows."""
    return rows_of(
        [
            "accounts",
            "one payment: p50 ms",
            "client CPU ms",
            "group of 49: p50 ms",
            "client CPU ms",
        ],
        (
            [
                f"{row['accounts']:,}",
                shown(row["single"]["call_ms_p50"], 1),
                shown(row["single"]["client_cpu_ms_a_payment"], 2),
                shown(row["group_of_49"]["call_ms_p50"], 1),
                shown(row["group_of_49"]["client_cpu_ms_a_payment"], 3),
            ]
            for row in found["accounts"]
        ),
    )


def rates(found: dict[str, Rows]) -> list[str]:
    """What rates take."""

    def row_of(form: dict[str, Any], size: dict[str, Any]) -> list[str]:
        partitions = size["partitions"]
        return [
            f"{form['form']}, {size['payments_per_second']:,}/s",
            f"{partitions['events table']:,} / {partitions['states table']:,}",
            f"{sum(partitions.values()):,}",
            f"{size['functions_at_work']['all']:,}",
            f"{size['buses']:,}",
            f"${size['usd_per_hour']:,.0f}",
            str(len(size["exceeded"])),
        ]

    return rows_of(
        [
            "payments",
            "partitions: events / states",
            "of all tables",
            "functions at work",
            "default buses' worth",
            "an hour",
            "quotas exceeded",
        ],
        (row_of(form, size) for form in found["rates"] for size in form["rates"]),
    )


def first_quotas(found: dict[str, Rows]) -> list[str]:
    """Which quotas break first."""
    sources = found["quotas"]
    return rows_of(
        ["payments", "quota", "default", "used up at", "can be raised", "source"],
        (
            [
                form["form"],
                f"{one['where']}: {one['unit']}",
                f"{one['limit']:,.0f}",
                f"{one['breaks_at']:,}/s",
                "yes" if one["can_be_raised"] else "no",
                sources[one["quota"]]["source"],
            ]
            for form in found["rates"]
            for one in form["quotas"][:5]
        ),
    )


def simulation_speed(found: dict[str, Any]) -> list[str]:
    """Runs of the simulation, and what is between them."""
    return rows_of(
        [
            "seed",
            "sent a second of computing",
            "handled",
            "CPU ms a command sent",
            "bare boto3, a single payment, CPU ms",
            "ratio",
        ],
        [
            [
                str(row["seed"]),
                shown(row["sent_a_cpu_second"]),
                shown(row["handled_a_cpu_second"]),
                shown(row["cpu_ms_a_command_sent"], 2),
                shown(row["bare_ms_a_payment"], 2),
                shown(row["ratio_to_bare"], 2),
            ]
            for row in [*found["runs"], {"seed": "median", **found}]
        ],
    )


#: By bench, then by the name of the table's place.
_TABLES: Final[Mapping[str, Mapping[str, Callable[[Any], list[str]]]]] = {
    "client_cpu": {"client cpu": payment_tables.client_cpu},
    "cache": {"affinity": payment_tables.cache},
    "engines": {"engines": payment_tables.engines},
    "cold_start": {"cold start": payment_tables.cold_start},
    "memory_sizes": {"memory sizes": payment_tables.memory_sizes},
    "hot_model": {
        "one account": one_account,
        "attempts": attempts,
        "one lane": one_lane,
        "sixteen lanes": sixteen_lanes,
        "stripes": stripes,
        "assumptions": plain("assumptions"),
        "debits": plain("debits"),
        "state cache": cache,
    },
    "hot_engine": {"hot engine": hot_engine},
    "scale": {
        "groups": groups,
        "postings": postings,
        "accounts": accounts,
        "rates": rates,
        "quotas": first_quotas,
    },
    "end_to_end": {"end to end": end_to_end.table},
    "simulation_speed": {"simulation speed": simulation_speed},
}


def main() -> None:
    """Writes the tables of every bench that has results."""
    text = REPORT.read_text(encoding="utf-8")
    for bench, tables in _TABLES.items():
        try:
            kept = results.read(bench)
        except FileNotFoundError:
            say(f"no results of {bench}: its tables stay as they are")
            continue
        for name, table in tables.items():
            text = put(text, name, table(kept["results"]))
        text = put(text, f"run of {bench}", [_run(kept)])
    REPORT.write_text(text, encoding="utf-8")
    say(f"written: docs/{REPORT.name}")


def _run(kept: Mapping[str, Any]) -> str:
    """When, how and where."""
    machine = kept["machine"]
    return (
        f"`{kept['command']}`, {kept['date'][:16].replace('T', ' ')} UTC, Python "
        f"{machine['python']}, {machine['cpus']} CPUs ({machine['cpu']}), load average "
        f"{machine['load_1_5_15_minutes'][0]}."
    )


def _p99_and_attempts(row: Mapping[str, Any]) -> str:
    return f"{shown(row['p99_ms']['median'])} / {shown(row['attempts_per_commit']['median'], 2)}"


def _one(rows: Rows, name: str, lanes: int) -> dict[str, Any]:
    return next(row for row in rows if row["name"] == name and row["lanes"] == lanes)


def _at(rows: Rows, name: str, level: float) -> dict[str, Any]:
    return next(row for row in rows if row["name"] == name and row["full_ms"] == level)


def _own(rows: Rows, name: str, affinity: float) -> dict[str, Any]:
    return next(row for row in rows if row["name"] == name and row["affinity"] == affinity)


if __name__ == "__main__":
    main()
