"""Bench 6: what a cold start costs: CPU time of importing and building each handler, and the size
of what is imported from.

Each is started in fresh interpreters, from a bundle as it is deployed (bytecode compiled, the SDK's
unused models left out), made for this machine. `boto3` is what a handler would import that is made
as AWS shows it; machines differ, so read the figures against it.

    python -m bench.cold_start [--rounds 9] [--write]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import boto3

from bench import results
from bench.engine import say
from cdk.bundling import Platform, build_bundle

#: By function.
HANDLERS: Final = {
    "Api": "ledger.entrypoints.api",
    "Commands": "ledger.entrypoints.commands",
    "Expiry": "ledger.entrypoints.expiry",
    "Relay": "ledger.entrypoints.relay",
    "Balances": "projections.balances.handler",
    "History": "projections.history.handler",
    "Payments": "projections.payments.handler",
    "Query": "projections.query.handler",
    "Notifications": "consumers.notifications.handler",
    "Fraud": "consumers.fraud.handler",
    "Reviews": "consumers.fraud.reviews",
    "Webhooks": "consumers.webhooks.fanout",
    "Webhookdelivery": "consumers.webhooks.deliverer",
    "Webhookmanager": "consumers.webhooks.manager",
}
_FLOOR: Final = "boto3"
#: Where that is: no function imports it, so no bundle has it.
_SDK: Final = Path(boto3.__file__).parents[1]
_TIMED: Final = """
import importlib, json, os, sys, time
name, settings = sys.argv[1], json.loads(sys.argv[2])
os.environ.update(settings)
begin = time.process_time_ns()
module = importlib.import_module(name)
imported = time.process_time_ns()
missing = []
if hasattr(module, "build"):
    from ledger.runtime.host import AwsHost
    from ledger.runtime.settings import SettingsError
    try:
        module.build(AwsHost())
    except SettingsError as error:
        missing = list(error.names)
built = time.process_time_ns()
print(json.dumps([imported - begin, built - imported, missing]))
"""


def started(bundle: Path, module: str, settings: dict[str, str]) -> tuple[float, float, list[str]]:
    """CPU milliseconds of importing a module and of building its handler, and what settings were
    missing for that, in a fresh interpreter."""
    # Not this process's environment: it may say where to import from, or not to.
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{bundle}:{_SDK}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
    }
    answer = subprocess.run(
        [sys.executable, "-S", "-c", _TIMED, module, json.dumps(settings)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported, built, missing = json.loads(answer.stdout.splitlines()[-1])
    return imported / 1e6, built / 1e6, missing


def settings_of(bundle: Path, module: str) -> dict[str, str]:
    """Some value for all that a handler reads from its environment."""
    settings: dict[str, str] = {}
    while missing := started(bundle, module, settings)[2]:
        settings |= dict.fromkeys(missing, "https://sqs.invalid/1/bench")
    return settings


def size_of(platform: Platform) -> dict[str, float]:
    """Megabytes of a bundle for a platform: of its archive, unpacked, and of its largest parts."""
    bundle = build_bundle(platform).path
    sizes: dict[str, int] = {}
    with TemporaryDirectory() as directory:
        archive = Path(directory) / "bundle.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(bundle.rglob("*")):
                if path.is_file():
                    file.write(path, path.relative_to(bundle))
                    top = path.relative_to(bundle).parts[0]
                    sizes[top] = sizes.get(top, 0) + path.stat().st_size
        zipped = archive.stat().st_size
    largest = sorted(sizes, key=lambda name: -sizes[name])[:6]
    parts = {name: round(sizes[name] / 1e6, 2) for name in largest}
    return {"zip": round(zipped / 1e6, 2), "unpacked": round(sum(sizes.values()) / 1e6, 2), **parts}


def main() -> None:
    """Prints a row for each handler; writes bench/results/cold_start.json if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    bundle = build_bundle("host").path
    modules = {_FLOOR: _FLOOR} | HANDLERS
    settings = {module: settings_of(bundle, module) for module in modules.values()}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in modules}
    for _ in range(given.rounds):
        for name, module in modules.items():
            imported, built, _ = started(bundle, module, settings[module])
            taken[name].append((imported, built))
    rows: list[dict[str, Any]] = []
    for name, each in taken.items():
        floors = [imported for imported, _ in taken[_FLOOR]]
        rows.append(
            {
                "function": name,
                "import_ms": results.median_and_spread((one for one, _ in each), digits=0),
                "build_ms": results.median_and_spread((one for _, one in each), digits=0),
                "import_to_boto3": results.median_and_spread(
                    (one / floor for (one, _), floor in zip(each, floors, strict=True)), digits=2
                ),
            }
        )
        row = rows[-1]
        say(
            f"{name:16} import {row['import_ms']['median']:5.0f} ms"
            f" ({row['import_ms']['min']:.0f}), {row['import_to_boto3']['median']:.2f} of boto3's,"
            f" build {row['build_ms']['median']:5.0f} ms"
        )
    sizes = size_of("host")
    say(f"bundle, MB: {sizes}")
    if given.write:
        results.write("cold_start", {"handlers": rows, "bundle_megabytes": sizes})


if __name__ == "__main__":
    main()
