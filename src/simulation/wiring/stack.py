"""The stack of this project, synthesised once for each state of the CDK app."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from simulation.wiring.model import Wiring
from simulation.wiring.template import wiring_of

#: The stage whose stack is simulated: it has many workers at a time, as what is to be survived has.
STAGE: Final = "prod"
_ACCOUNT: Final = "000000000000"
# What the template is made of: the app, and the contracts that it shares with the code.
_SOURCES: Final = (
    "cdk/**/*.py",
    "cdk.json",
    "src/ledger/contracts/**/*.py",
    "src/simulation/wiring/*.py",
)


def read_wiring(project_root: Path) -> Wiring:
    """The wiring of the CDK app in `project_root`; kept under `.build` until the app changes.

    Raises sandbox.errors.SandboxError when the app cannot be synthesised, UnknownValueError when
    it has something that this world does not know.
    """
    kept = project_root / ".build" / "simulation" / f"wiring-{_digest(project_root)[:20]}.json"
    if kept.is_file():
        return msgspec.json.decode(kept.read_bytes(), type=Wiring)
    wiring = _synthesised(project_root)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as unfinished:
        unfinished.write(msgspec.json.encode(wiring))
    Path(unfinished.name).replace(kept)
    return wiring


def _synthesised(project_root: Path) -> Wiring:
    # Not at the top: it brings the CDK, which takes seconds, and is needed once in a while.
    from sandbox.synthesis import synthesise  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory:
        assembly = synthesise(project_root, Path(directory), stage=STAGE, bundling="none")
        templates = [msgspec.json.decode(stack.template.read_bytes()) for stack in assembly.stacks]
        return wiring_of(templates, account=_ACCOUNT, region=assembly.region)


def _digest(project_root: Path) -> str:
    digest = sha256()
    for pattern in _SOURCES:
        for path in sorted(project_root.glob(pattern)):
            digest.update(str(path.relative_to(project_root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
