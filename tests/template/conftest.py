"""Both stages, synthesised once, on one worker.

The bundle is made for the platform `none`: the same code, which only leaves out installing the
dependencies. What the templates say does not depend on it, and a test sees to that.
"""

from pathlib import Path

import pytest

from cdk.app import build_app
from tests.template.templates import Templates

STAGES = ("dev", "prod")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Synthesising takes seconds: one worker does it for all tests of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("template"))


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    """The templates of every stage in cdk.json; the synthesis raised no finding."""
    synthesised = {}
    for stage in STAGES:
        assembly = tmp_path_factory.mktemp("assembly") / stage
        build_app(bundling="none", stage=stage, outdir=assembly).synth()
        synthesised[stage] = Templates.read(stage, assembly)
    return synthesised


@pytest.fixture(params=STAGES)
def templates(request: pytest.FixtureRequest, both: dict[str, Templates]) -> Templates:
    """Each stage in turn."""
    return both[request.param]
