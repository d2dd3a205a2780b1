"""What is generated into docs/ is there as it would be generated now."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path, PurePosixPath

import pytest

from ledger.contracts.reasons import REASONS
from ledger.contracts.schemas import command_schemas, event_schemas
from publishing.__main__ import main
from publishing.documents import Drawings, MarkersError, documents, filled, outdated, write
from publishing.operations import PARAMETERS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the generated part of docs/."""
    for path in documents(DOCS):
        target = tmp_path / "docs" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DOCS / path, target)
    return tmp_path / "docs"


def test_nothing_generated_is_outdated() -> None:
    """Schemas, OpenAPI and tables are committed as the code has them: else run `make docs`."""
    assert outdated(DOCS) == []


def test_generating_twice_gives_the_same_bytes() -> None:
    """Nothing of the clock, of chance or of the order of a set gets in."""
    assert documents(DOCS) == documents(DOCS)


def test_drift_is_found_and_mended(copy: Path) -> None:
    """A changed, a missing and a superfluous document are named, and set right by writing."""
    assert outdated(copy) == []
    (copy / "openapi.json").write_bytes(b"{}")
    page = copy / "errors.md"
    page.write_text(page.read_text(encoding="utf-8").replace("`contention`", "`quarrel`", 1))
    (copy / "schemas/commands/payment.post.v1.json").unlink()
    (copy / "schemas/events/payment.undone.v1.json").write_bytes(b"{}")
    drifted = [
        PurePosixPath("errors.md"),
        PurePosixPath("openapi.json"),
        PurePosixPath("schemas/commands/payment.post.v1.json"),
        PurePosixPath("schemas/events/payment.undone.v1.json"),
    ]
    assert outdated(copy) == drifted
    assert write(copy) == drifted
    assert outdated(copy) == []


def test_prose_is_kept(copy: Path) -> None:
    """Writing changes only what is between the markers."""
    page = copy / "events.md"
    page.write_text("A word before.\n" + page.read_text(encoding="utf-8"), encoding="utf-8")
    assert write(copy) == []
    assert page.read_text(encoding="utf-8").startswith("A word before.\n")


@pytest.mark.parametrize(
    "page", ["", "<!-- generated: other -->\n<!-- end of what is generated -->"]
)
def test_a_page_without_its_markers_is_an_error(page: str) -> None:
    """Rather than a table that silently stays away."""
    with pytest.raises(MarkersError):
        filled(page, {"reasons": lambda: ""})


def test_the_command_says_what_it_does(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` fails on drift and changes nothing; without it the drift is mended."""

    def draw() -> Drawings:
        return {PurePosixPath("stack.svg"): b"<svg/>"}

    monkeypatch.chdir(copy.parent)
    (copy / "openapi.json").write_bytes(b"{}")
    assert main(["--check"], draw) == 1
    assert capsys.readouterr().out == "outdated: docs/openapi.json\noutdated: docs/stack.svg\n"
    assert (copy / "openapi.json").read_bytes() == b"{}"
    assert main([], draw) == 0
    assert (copy / "stack.svg").read_bytes() == b"<svg/>"
    assert main(["--check"], draw) == 0
    assert main(["--nonsense"], draw) == 2
    monkeypatch.chdir(copy)
    assert main([], draw) == 2


def test_every_reason_named_in_prose_exists() -> None:
    """What the pages write as a reason (two words and more, joined by `_`) is a reason, or the name
    of a field."""
    codes = {reason.code for reason in REASONS}
    names = {
        name
        for schema in (*command_schemas().values(), *event_schemas().values())
        for name in re.findall(r'"(\w+)":', json.dumps(schema))
    }
    for page in ("errors.md", "commands.md", "events.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        prose = re.sub(r"<!-- generated.*?<!-- end", "", text, flags=re.DOTALL)
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", prose):
            known = codes | names | set(PARAMETERS) | {"same_request", "new_id"}
            assert word in known, (page, word)
