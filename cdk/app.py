"""The CDK app: the data, service and observability stacks of one stage.

`build_app` makes it in process (tests, the local sandbox); `python -m cdk.app` is what the CDK
command line runs, see cdk.json.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as core
import cdk_nag

from cdk.bundling import (
    Bundle,
    BundlingError,
    Platform,
    build_bundle,
    drop_staged_for_other_platform,
)
from cdk.config import InvalidConfigError, stage_config
from cdk.stacks.data import DataStack
from cdk.stacks.observability import ObservabilityStack
from cdk.stacks.service import ServiceStack

_ROOT = Path(__file__).resolve().parent.parent


def build_app(
    *,
    bundling: Platform = "aws",
    stage: str | None = None,
    outdir: Path | None = None,
    context: Mapping[str, object] | None = None,
    checked: bool = True,
) -> core.App:
    """The app, ready for `.synth()`.

    `bundling` says what the code bundle is made for (see cdk.bundling.Platform); nothing else of
    the result depends on it. `stage` defaults to the context's; `context` overrides keys of
    cdk.json. `outdir` is the cloud assembly's directory; without it the CDK command line's, or a
    temporary one. A `checked` synthesis raises on findings of the AWS Solutions rules and of the
    CDK's own validation of templates, and takes ten times as long.

    Raises cdk.config.InvalidConfigError or cdk.bundling.BundlingError.
    """
    defaults = json.loads((_ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    chosen = {"stage": stage} if stage is not None else {}
    app = core.App(
        # The command line's context (cdk.json and its -c options) wins over this.
        context={**defaults, **(context or {}), **chosen},
        outdir=str(outdir) if outdir is not None else None,
        analytics_reporting=False,
        tree_metadata=False,
        builtin_cloud_formation_validation=checked,
    )
    config = stage_config(app.node.try_get_context("stage"), app.node.try_get_context("stages"))
    bundle = build_bundle(bundling)
    _drop_foreign_assets(bundle, outdir)

    data = DataStack(app, config.name("data"), config=config)
    service = ServiceStack(app, config.name("service"), config=config, data=data, bundle=bundle)
    ObservabilityStack(app, config.name("observability"), config=config, data=data, service=service)
    core.Tags.of(app).add("application", "ledger")
    core.Tags.of(app).add("stage", config.stage)
    if checked:
        core.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    return app


def _drop_foreign_assets(bundle: Bundle, outdir: Path | None) -> None:
    command_line = os.environ.get("CDK_OUTDIR")
    assembly = outdir or (Path(command_line) if command_line else None)
    if assembly is not None and assembly.is_dir():
        drop_staged_for_other_platform(bundle, assembly)


if __name__ == "__main__":
    try:
        build_app().synth()
    except (BundlingError, InvalidConfigError) as error:
        raise SystemExit(str(error)) from error
