"""The report's tables of what a payment costs a client, here and elsewhere, and of cold starts."""

from __future__ import annotations

from typing import Any

from bench.markdown import rows_of, shown

Rows = list[dict[str, Any]]


def client_cpu(rows: Rows) -> list[str]:
    """Client CPU and requests by case, next to the floor."""
    return rows_of(
        [
            "payments",
            "ours, CPU ms",
            "bare boto3, CPU ms",
            "ours / bare",
            "requests",
            "write units",
            "bytes sent",
        ],
        (
            [
                row["case"],
                shown(row["cpu_ms_a_payment"]["ours"], 2),
                shown(row["cpu_ms_a_payment"]["bare"], 2),
                shown(row["ratio_to_bare"], 2),
                shown(row["requests_a_payment"], 3),
                shown(row["write_units_a_payment"], 2),
                shown(row["request_bytes_a_payment"]),
            ]
            for row in rows
        ),
    )


def cache(rows: Rows) -> list[str]:
    """What remembering states saves, by how often an account's payments meet one worker."""
    return rows_of(
        [
            "payments that meet the worker of their payer's others",
            "states remembered",
            "requests a payment",
            "states read",
            "transactions refused",
            "USD a million payments",
        ],
        (
            [
                f"{row['affinity']:.1%}" + (", a payee that all share" * row["shared_payee"]),
                shown(row["states_max"]),
                shown(row["requests"], 2),
                shown(row["states_read"], 2),
                shown(row["refused"], 3),
                shown(row["usd_a_million"], 2),
            ]
            for row in rows
        ),
    )


def engines(found: dict[str, Any]) -> list[str]:
    """The contest."""
    return rows_of(
        ["payments", "payments/s", "CPU ms a payment", "reads", "writes", "write units"],
        (
            [
                f"{row['contestant']}, "
                + ("one by one" if row["payments_a_group"] == 1 else f"{row['payments_a_group']}"),
                shown(row["payments_a_second"]),
                shown(row["cpu_ms_a_payment"], 2),
                shown(row["requests_a_payment"]["reads"], 2),
                shown(row["requests_a_payment"]["writes"], 2),
                shown(row["write_units_a_payment"], 2),
            ]
            for row in found["rows"]
        ),
    )


def cold_start(found: dict[str, Any]) -> list[str]:
    """What each function takes to start."""
    return rows_of(
        ["function", "import, CPU ms", "next to `import boto3`", "build, CPU ms"],
        (
            [
                row["function"],
                shown(row["import_ms"]),
                shown(row["import_to_boto3"], 2),
                shown(row["build_ms"]),
            ]
            for row in found["handlers"]
        ),
    )


def memory_sizes(rows: Rows) -> list[str]:
    """What each size costs, and how long it takes."""
    return rows_of(
        [
            "function, invocation",
            "MB",
            "warm, ms",
            "cold start, ms",
            "USD a million payments",
            "payments/s of one lane",
        ],
        (
            [
                f"{row['function']}, {row['invocation']}",
                shown(row["memory_mb"]),
                shown(row["warm_ms"], 1),
                shown(row["cold_start_ms"]),
                shown(row["usd_per_million_payments"], 2),
                shown(row["payments_a_second_of_a_lane"]),
            ]
            for row in rows
        ),
    )
