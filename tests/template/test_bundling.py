"""The code bundle: what is in it, and that no build can leave a broken one behind.

Real `pip`, offline: the one dependency is a wheel that the test makes.
"""

import ast
import base64
import hashlib
import importlib.util
import multiprocessing
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cdk import bundling
from cdk.bundling import BundlingError, build_bundle, drop_staged_for_other_platform

SOURCES = {
    "ledger/__init__.py": "",
    "ledger/entrypoints/api.py": "import tiny\n",
    "ledger/cli/app.py": "import typer\n",
    "ledger/upkeep/x.py": "",
    "ledger/tests/test_it.py": "",
    "ledger/__pycache__/stale.pyc": "",
    "projections/query.py": "",
    "sandbox/engine.py": "",
}
DEPENDENCIES = {
    "tiny/__init__.py": "VALUE = 7\n",
    "botocore/__init__.py": "",
    "botocore/data/endpoints.json": "{}",
    "botocore/data/_retry.json": "{}",
    "botocore/data/dynamodb/2012-08-10/service-2.json": "{}",
    "botocore/data/ec2/2016-11-15/service-2.json": "{}",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with sources and a lock that pip can satisfy without any network."""
    for name, text in SOURCES.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    digest = hashlib.sha256(_wheel(wheels).read_bytes()).hexdigest()
    (tmp_path / "requirements").mkdir()
    lock = tmp_path / "requirements" / "lambda.lock"
    lock.write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return tmp_path


def test_a_bundle_holds_sources_and_dependencies_and_nothing_else(root: Path) -> None:
    """No tests, caches, command-line tool or sandbox; of botocore only the services in use."""
    files = _files(build_bundle("aws", root).path)
    assert {name for name in files if "dist-info" not in name and "__pycache__" not in name} == {
        "PLATFORM",
        "ledger/__init__.py",
        "ledger/entrypoints/api.py",
        "projections/query.py",
        *(name for name in DEPENDENCIES if "ec2" not in name),
    }


def test_a_host_bundle_holds_bytecode_that_is_never_stale(root: Path) -> None:
    """Every module is compiled, and its bytecode is not compared with its source's time."""
    path = build_bundle("host", root).path
    for source in ("tiny/__init__.py", "ledger/entrypoints/api.py"):
        bytecode = Path(importlib.util.cache_from_source(str(path / source))).read_bytes()
        flags = int.from_bytes(bytecode[4:8], "little")
        assert flags == 0b01  # hash-based, unchecked (PEP 552)


def test_foreign_bytecode_is_not_shipped(root: Path) -> None:
    """For a runtime of another version than this interpreter's, none is made."""
    compiled = [name for name in _files(build_bundle("aws", root).path) if name.endswith(".pyc")]
    assert bool(compiled) == (sys.version_info[:2] == bundling.RUNTIME_VERSION)


def test_the_digest_is_of_the_inputs_not_of_the_platform(root: Path) -> None:
    """Sources, lock and rules decide it: a synthesis for the emulator names the same asset."""
    digests = {build_bundle(platform, root).digest for platform in ("aws", "host", "none")}
    assert len(digests) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "src/ledger/__init__.py").write_text("# changed\n"),
        lambda root: (root / "src/ledger/__init__.py").rename(root / "src/ledger/other.py"),
        lambda root: (root / "src/projections/new.py").write_text(""),
        lambda root: (root / "requirements/lambda.lock").write_text("# changed\n"),
    ],
    ids=["content", "name", "file", "lock"],
)
def test_any_change_of_an_input_changes_the_digest(
    root: Path, change: Callable[[Path], object]
) -> None:
    """What runs is never older than what was written."""
    before = build_bundle("none", root)
    change(root)
    after = build_bundle("none", root)
    assert after.digest != before.digest
    assert after.path != before.path


@pytest.mark.parametrize(
    "unused",
    ["ledger/cli/app.py", "ledger/upkeep/x.py", "ledger/tests/new.py", "sandbox/x.py"],
)
def test_what_is_not_bundled_does_not_change_the_digest(root: Path, unused: str) -> None:
    """A change of the command-line tool, a test or the sandbox deploys nothing."""
    before = build_bundle("none", root).digest
    (root / "src" / unused).write_text("# changed\n")
    assert build_bundle("none", root).digest == before


def test_bundled_code_finds_what_it_imports_and_calls() -> None:
    """Modules of ours that bundled code imports are bundled, and so are the services it calls."""
    bundle = build_bundle("none").path
    missing: set[str] = set()
    for path in bundle.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            missing |= {name for name in _own_imports(node) if not _is_module(bundle, name)}
            missing |= _services(node) - bundling.BOTOCORE_SERVICES
    assert missing == set()


def test_a_build_without_change_installs_nothing_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finished bundle is used as it is; new sources reuse the installed dependencies."""
    first = build_bundle("host", root)
    monkeypatch.setattr(bundling, "_pip_install", _fail)
    assert build_bundle("host", root) == first
    (root / "src/ledger/__init__.py").write_text("# changed\n")
    assert (build_bundle("host", root).path / "tiny" / "__init__.py").is_file()


def test_an_interrupted_build_leaves_nothing_that_looks_finished(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever a build stops, the next one starts over and succeeds."""

    def interrupted(*_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bundling, "_compile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build_bundle("host", root)
    assert _files(root / ".build") == set()
    assert (build_bundle("host", root).path / "tiny" / "__init__.py").is_file()


def test_a_finished_build_is_moved_into_place_not_copied(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is the very directory it was built in: no moment in which it is half there."""
    built_in: set[int] = set()

    def compile_into(_tree: Path, into: Path) -> None:
        built_in.add(into.stat().st_ino)

    monkeypatch.setattr(bundling, "_compile", compile_into)
    bundle = build_bundle("host", root).path
    [dependencies] = (root / ".build" / "dependencies").iterdir()
    assert built_in == {bundle.stat().st_ino, dependencies.stat().st_ino}


def test_leavings_of_a_killed_build_are_cleared_later(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill left behind goes once no build can still be working on it; not before."""
    left = root / ".build" / "bundles" / ".building-killed"
    left.mkdir(parents=True)
    build_bundle("none", root)
    assert left.is_dir()
    monkeypatch.setattr(bundling, "_STALE_SECONDS", -1.0)
    (root / "src/ledger/__init__.py").write_text("# changed\n")
    build_bundle("none", root)
    assert not left.exists()


def test_builds_at_the_same_time_all_succeed(root: Path) -> None:
    """Several processes that start from nothing end with the same, whole bundle."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        paths = pool.starmap(_build_path, [("host", root)] * 2)
    assert len(set(paths)) == 1
    assert (paths[0] / "tiny" / "__init__.py").is_file()
    assert not list((root / ".build").rglob(".building-*"))


@pytest.mark.parametrize("hashed", [f" --hash=sha256:{'0' * 64}", ""], ids=["other", "none"])
def test_a_wheel_that_is_not_the_locked_one_is_refused(root: Path, hashed: str) -> None:
    """Hashes are there and are checked: nothing is bundled that was not locked."""
    lock = root / "requirements" / "lambda.lock"
    lock.write_text(f"tiny==1.0{hashed}\n")
    with pytest.raises(BundlingError, match=r"could not install lambda\.lock(?si:.*)hash"):
        build_bundle("host", root)


def test_a_missing_lock_is_named(root: Path) -> None:
    """The message says how to make it."""
    (root / "requirements" / "lambda.lock").unlink()
    with pytest.raises(BundlingError, match=r"lambda\.lock is missing: run `make lock`"):
        build_bundle("none", root)


def test_assets_staged_for_another_platform_are_dropped(root: Path, tmp_path: Path) -> None:
    """A cloud assembly used for both platforms never keeps the other's wheels under one name."""
    host, aws = build_bundle("host", root), build_bundle("aws", root)
    assembly = tmp_path / "assembly"
    staged = assembly / "asset.digest"
    shutil.copytree(aws.path, staged)
    drop_staged_for_other_platform(aws, assembly)
    assert staged.is_dir()
    drop_staged_for_other_platform(host, assembly)
    assert not staged.exists()


def _own_imports(node: ast.AST) -> set[str]:
    """The modules of our packages that an import statement names."""
    names: set[str] = set()
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = {node.module}
    return {name for name in names if name.split(".")[0] in ("ledger", "projections", "consumers")}


def _is_module(bundle: Path, name: str) -> bool:
    path = bundle.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _services(node: ast.AST) -> set[str]:
    """The service of a call `….client("service", …)`."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="client"), args=[ast.Constant(value=str(service)), *_]
        ):
            return {service}
    return set()


def _fail(*_: object) -> None:
    raise AssertionError("dependencies were installed a second time")


def _build_path(platform: bundling.Platform, root: Path) -> Path:
    return build_bundle(platform, root).path


def _files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def _wheel(folder: Path) -> Path:
    """A wheel with the files of DEPENDENCIES, as small as the format allows."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    info = {
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    files = {**DEPENDENCIES, **info}
    record = "".join(
        f"{name},sha256={_record_hash(text)},{len(text)}\n" for name, text in files.items()
    )
    files["tiny-1.0.dist-info/RECORD"] = f"{record}tiny-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


def _record_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
