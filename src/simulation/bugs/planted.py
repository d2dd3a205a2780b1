"""A planted bug: a small change of the real source, and what has to come of it."""

from __future__ import annotations

from msgspec import Struct

from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch


class PlantedBug(Struct, frozen=True, kw_only=True):
    """One mistake that a tired engineer could make, and that tests without faults may well pass."""

    name: str
    what: str
    """The mistake, in a sentence for somebody who has never seen the source."""
    shows: str
    """What has to happen for it to do harm, and which."""
    patches: tuple[Patch, ...]
    expected: tuple[str, ...]
    """The promises of which one at least is found broken, by their names in the auditor."""
    faults: Profile = Profile.HEAVY
    """The lightest profile of faults in which it is looked for."""
    deployment: bool = False
    """Whether it takes the next release beside this one."""
    restore: bool = False
    """Whether it takes a loss of the states table."""
    replay: bool = False
    """Whether it takes the replay of a projection."""
    redrive: bool = False
    """Whether it takes dead letters that are sent back while faults strike."""
    commands: int = 1_000
    """How long a run it is looked for in."""
