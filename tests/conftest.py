"""What every test relies on: repeatable properties, and markers that follow from where a test is.

The properties run on the same examples everywhere: a failure on one machine is a failure on all.
As they are the same every time, few do: `pytest --hypothesis-profile=explore` looks for others.
"""

import gc
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# No deadline, and slow data generation is no failure: machines that run this are shared and noisy.
settings.register_profile(
    "ci",
    max_examples=40,
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("ci"), max_examples=5_000, derandomize=False
)
settings.load_profile("ci")


def pytest_configure() -> None:
    """Ctrl-C is heeded, also where a shell started the tests in the background, which ignores it:
    tests press it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups, after the folders' own conftests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, skip what lacks its data, and say which tests share a worker.

    Those that need the emulator do, so that one is started; so do the tests of a file, so that its
    fixtures are made once. (End-to-end tests wait more than they work: `make test` gives files of
    them to several workers, each with a stack of its own.) A file of simulations keeps its worker
    for minutes: they come first.
    """
    end_to_end, simulation = ROOT / "tests" / "end_to_end", ROOT / "tests" / "simulation"
    items.sort(key=lambda item: not item.path.is_relative_to(simulation))
    for item in items:
        if item.path.is_relative_to(end_to_end):
            item.add_marker(pytest.mark.emulator)
        if item.get_closest_marker("data") and not SHARED_DATA.is_dir():
            item.add_marker(pytest.mark.skip(reason=f"{SHARED_DATA} is not there"))
        if item.get_closest_marker("emulator"):
            item.add_marker(pytest.mark.xdist_group("emulator"))
        elif not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays anyhow: the modules and tests themselves.

    There is so much of it that looking through it again and again takes a seventh of all the time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; for tests marked `data`."""
    return SHARED_DATA
