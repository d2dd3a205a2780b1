"""Builds the one code bundle that all functions share, without Docker.

A bundle is the locked runtime dependencies plus our packages. Its digest covers the sources, the
lock and these rules, but not the platform: the template is the same wherever it goes. What is *in*
the bundle differs, so every bundle says its platform in a file (`PLATFORM_FILE`).

Both stages of the work are cached under `.build/`, made in a temporary directory and moved into
place in one step: an interrupted build leaves nothing that looks finished, and of two builds at
once one wins.
"""

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Platform = Literal["aws", "host", "none"]
"""`aws`: wheels for Lambda. `host`: for this interpreter and machine, with which the emulator runs
functions. `none`: our sources only, by the same path but for the installation, for tests that read
templates and never run a function."""

PLATFORM_FILE = "PLATFORM"
RUNTIME_VERSION = (3, 14)
"""The Python of the functions on AWS; python_function.py names the same runtime."""

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("ledger", "projections", "consumers")
# What runs on people's machines only, with libraries of its own.
_LEFT_OUT = (
    "ledger/cli",
    "ledger/client",
    "ledger/importers",
    "ledger/statements",
    "ledger/upkeep",
)
# The services whose models the functions load; botocore brings 400 of them, 25 MB.
BOTOCORE_SERVICES = frozenset({"dynamodb", "events", "secretsmanager", "sns", "sqs", "ssm"})
_STALE_SECONDS = 3600.0  # no build takes an hour: an older temporary directory was interrupted


# What botocore does without, and so do the functions (ledger.runtime.clients).
_NOT_IMPORTED = ("boto3", "s3transfer")


class BundlingError(RuntimeError):
    """The bundle could not be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A finished bundle: its directory, what it was made for, and the digest of its inputs."""

    path: Path
    platform: Platform
    digest: str


def build_bundle(platform: Platform, root: Path = _ROOT) -> Bundle:
    """The bundle of the repository at `root` for `platform`; built unless it is there already.

    Raises BundlingError when the lock is missing or the dependencies cannot be installed.
    """
    lock = root / "requirements" / "lambda.lock"
    if not lock.is_file():
        raise BundlingError(f"{lock} is missing: run `make lock`")
    cache = root / ".build"
    digest = _digest(root / "src", lock)
    variant = _variant(platform)

    def assemble(into: Path) -> None:
        if platform != "none":
            _copy_tree(_dependencies(platform, lock, cache), into)
        for source in _sources(root / "src"):
            target = into / source.relative_to(root / "src")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        if _bytecode_matches(platform):
            for package in _PACKAGES:
                if (into / package).is_dir():
                    _compile(into / package, into)
        (into / PLATFORM_FILE).write_text(f"{variant}\n", encoding="utf-8")

    path = _built(cache / "bundles" / f"{digest[:20]}-{variant}", assemble)
    return Bundle(path=path, platform=platform, digest=digest)


def drop_staged_for_other_platform(bundle: Bundle, assembly: Path) -> None:
    """Remove assets staged in `assembly` by a synthesis for another platform.

    The CDK stages an asset once per digest, and the digest says nothing of the platform: without
    this a cloud assembly that is used for two platforms would keep the wheels of the first.
    """
    ours = (bundle.path / PLATFORM_FILE).read_text(encoding="utf-8")
    for marker in assembly.glob(f"asset.*/{PLATFORM_FILE}"):
        if marker.read_text(encoding="utf-8") != ours:
            shutil.rmtree(marker.parent)


def _variant(platform: Platform) -> str:
    """Bundles for this host differ by its interpreter as well."""
    return f"host-{sys.implementation.cache_tag}" if platform == "host" else platform


def _bytecode_matches(platform: Platform) -> bool:
    return platform == "host" or (platform == "aws" and sys.version_info[:2] == RUNTIME_VERSION)


def _sources(src: Path) -> list[Path]:
    """The files of our packages that belong in a bundle, in a stable order."""
    found = []
    for package in _PACKAGES:
        for path in sorted((src / package).rglob("*")):
            parts = path.relative_to(src).parts
            left_out = any(path.is_relative_to(src / name) for name in _LEFT_OUT)
            if path.is_file() and not left_out and not {"tests", "__pycache__"} & set(parts):
                found.append(path)
    return found


def _digest(src: Path, lock: Path) -> str:
    digest = hashlib.sha256()
    for path, name in [
        *((path, path.relative_to(src).as_posix()) for path in _sources(src)),
        (lock, "lock"),
        (Path(__file__), "rules"),
    ]:
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _dependencies(platform: Platform, lock: Path, cache: Path) -> Path:
    """The directory of installed dependencies; one per lock and platform."""
    rules = Path(__file__).read_bytes()
    key = hashlib.sha256(lock.read_bytes() + rules).hexdigest()[:20]

    def install(into: Path) -> None:
        _pip_install(platform, lock, into)
        shutil.rmtree(into / "bin", ignore_errors=True)
        for package in _NOT_IMPORTED:
            shutil.rmtree(into / package, ignore_errors=True)
        _drop_unused_service_models(into / "botocore" / "data")
        if _bytecode_matches(platform):
            _compile(into, into)

    return _built(cache / "dependencies" / f"{key}-{_variant(platform)}", install)


def _pip_install(platform: Platform, lock: Path, target: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"),
        *("--target", str(target), "--requirement", str(lock)),
    ]
    if platform == "aws":
        version = ".".join(map(str, RUNTIME_VERSION))
        command += ["--platform", "manylinux2014_aarch64", "--platform", "manylinux_2_28_aarch64"]
        command += ["--python-version", version, "--implementation", "cp"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise BundlingError(f"pip could not install {lock.name}:\n{finished.stderr.strip()}")


def _drop_unused_service_models(data: Path) -> None:
    """Keep the models of services in use, and the files of none (endpoints, retries)."""
    for entry in data.iterdir():
        if entry.is_dir() and entry.name not in BOTOCORE_SERVICES:
            shutil.rmtree(entry)


def _compile(tree: Path, root: Path) -> None:
    """Write bytecode that is never checked against its source: timestamps do not survive a zip."""
    compileall.compile_dir(
        tree,
        quiet=2,  # a dependency may carry a file for another Python: it is imported by nobody then
        stripdir=str(root),
        prependdir="/var/task",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _built(path: Path, build: Callable[[Path], None]) -> Path:
    """`path`, made by `build` in a temporary directory and renamed, unless it exists."""
    if path.is_dir():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(path.parent) as work:
        build(work)
        work.chmod(0o755)  # mkdtemp's own mode would be staged into the asset
        try:
            work.rename(path)
        except OSError:
            if not path.is_dir():  # else another build was faster, and made the same
                raise
    return path


@contextmanager
def _temporary(parent: Path) -> Iterator[Path]:
    for left in parent.glob(".building-*"):
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _copy_tree(source: Path, target: Path) -> None:
    """Copy as hard links where the file system allows: a bundle a change is then almost free."""

    def link_or_copy(origin: str, destination: str) -> str:
        try:
            os.link(origin, destination)
        except OSError:
            shutil.copyfile(origin, destination)
        return destination

    shutil.copytree(source, target, copy_function=link_or_copy, dirs_exist_ok=True)
