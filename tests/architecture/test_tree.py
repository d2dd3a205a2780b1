"""Facts about the tree that a reader would trip over."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON_LINES_MAX = 450  # beyond it a file tends to have two subjects
PACKAGES = {path.parent.name for path in (ROOT / "src").glob("*/__init__.py")}
OURS = {"bench", "cdk", "tests"}
# Halves of boto3 and pydantic, released with them.
BROUGHT = {"botocore", "pydantic_core"}
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Paths of one person's machine; addresses of package registries, which differ from site to site.
MACHINE_PATH = re.compile(r"(?:^|[^\w.])/(?:work|farm|root|opt|home|Users)/\w")
REGISTRY = re.compile(r"https?://\S*(?:pypi\.org|pythonhosted\.org|registry\.npmjs|/simple/)")


def text_files() -> Iterator[tuple[Path, str]]:
    """What a clone holds: everything but hidden folders, and what runs and tools leave behind."""
    hidden = [ROOT / ".ci" / "run", ROOT / ".gitattributes", ROOT / ".gitignore"]
    shown = [top for top in ROOT.iterdir() if not re.match(r"\.|cdk\.out", top.name)]
    below = [path for top in shown for path in (top, *top.rglob("*"))]
    for path in hidden + below:
        generated = any(re.search("__pycache__|egg-info", part) for part in path.parts)
        if path.is_file() and not generated:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8", errors="replace")


def python_files(*folders: str) -> list[Path]:
    """The Python files under `folders`."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine paths", "registries"])
def test_no_file_knows_the_machine_it_was_written_on(pattern: re.Pattern[str]) -> None:
    """A clone works on any machine, with any package index."""
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_every_file_has_one_subject() -> None:
    """No file of src or cdk is so long that it must have two."""
    lengths = {path: len(path.read_text().splitlines()) for path in python_files("src", "cdk")}
    long = {str(path): lines for path, lines in lengths.items() if lines > PYTHON_LINES_MAX}
    assert long == {}


def test_every_folder_of_code_is_a_package_that_says_what_it_is() -> None:
    """Namespace packages are importable by accident; ours have a documented `__init__.py`."""
    folders = {path.parent for path in python_files("src", "cdk")} - {ROOT / "src"}
    undescribed = [
        str(folder)
        for folder in folders
        if not (folder / "__init__.py").is_file()
        or ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) is None
    ]
    assert undescribed == []


def test_every_test_states_its_property() -> None:
    """A test's docstring says what holds; its name and body are how that is tried."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for path in python_files("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and ast.get_docstring(node) is None
    ]
    assert silent == []


def test_import_rules_cover_every_package() -> None:
    """A new package under src comes under import-linter's contracts, not beside them."""
    assert PACKAGES | {"cdk"} == set(CONFIGURATION["tool"]["importlinter"]["root_packages"])


def test_types_of_every_cdk_module_in_use_are_checked() -> None:
    """mypy skips the modules of aws_cdk that are not listed: what they define would be `Any`."""
    checked = {
        name for rule in CONFIGURATION["tool"]["mypy"]["overrides"] for name in rule["module"]
    }
    imported = {
        name
        for path in python_files("cdk", "src", "tests")
        for name in imported_names(path)
        if re.fullmatch(r"aws_cdk\.(aws_\w+|assertions|cx_api|pipelines|triggers)", name)
    }
    assert imported - checked == set()


def test_every_library_in_use_is_asked_for() -> None:
    """What we import we name in pyproject.toml: what another library brings may leave with it."""
    project = CONFIGURATION["project"]
    groups = [*CONFIGURATION["dependency-groups"].values(), project["dependencies"]]
    requirements = [*chain(*groups, *project["optional-dependencies"].values())]
    declared = {re.split(r"[\[<=>]", line)[0] for line in requirements if isinstance(line, str)}
    origin = {
        top: {name.lower().replace("_", "-") for name in names}
        for top, names in packages_distributions().items()
    }
    undeclared = {
        top
        for path in python_files("src", "cdk", "tests")
        for top in {name.split(".")[0] for name in imported_names(path)}
        if top not in sys.stdlib_module_names | PACKAGES | OURS | {"_typeshed"} | BROUGHT
        if declared.isdisjoint(origin.get(top, ()))
        if not top.startswith("mypy_boto3_")  # each an extra of boto3-stubs
    }
    assert undeclared == set()


def test_every_target_that_a_document_names_is_in_the_makefile() -> None:
    """`make …` in README and docs, at the start of a command or quoted, is something make knows."""
    named = re.compile(r"(?:^|`)make ((?:[a-z]+-)*[a-z]+)", re.MULTILINE)
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    asked = {
        (document.name, target)
        for document in documents
        for target in named.findall(document.read_text(encoding="utf-8"))
    }
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert asked
    assert {(document, target) for document, target in asked if target not in targets} == set()


@cache
def imported_names(path: Path) -> frozenset[str]:
    """The dotted names that a file's import statements bind, modules and members alike."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)
