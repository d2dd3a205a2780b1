"""docs/stack.svg: the app synthesised, its templates drawn."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from publishing.diagram.drawing import svg
from publishing.diagram.layout import lay_out
from publishing.diagram.model import model_of
from publishing.diagram.templates import Stacks

PICTURE: Final = PurePosixPath("stack.svg")
"""Its path below docs/."""


def drawn(assembly: Path) -> bytes:
    """The picture of the templates in a cloud assembly."""
    model = model_of(Stacks.read(assembly))
    return svg(model, lay_out(model))


def drawn_stack() -> Mapping[PurePosixPath, bytes]:
    """The picture of the stage that cdk.json names: all stages have the same resources."""
    # Only here: importing the CDK takes longer than writing all the other documents. The app is no
    # package of ours that could be installed: it is found where the project is.
    app = importlib.import_module("cdk.app")
    with TemporaryDirectory() as folder:
        app.build_app(bundling="none", outdir=Path(folder), checked=False).synth()
        return {PICTURE: drawn(Path(folder))}
