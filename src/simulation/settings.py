"""What a run is made from: the same settings make the same run, byte for byte, anywhere."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile

COMMANDS_DEFAULT: Final = 2_000
#: Two runs of one plan that differ in their luck share nothing but the plan.
_LUCK_STRIDE: Final = 1_000_003


class Settings(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One run. All but the first three are for running a part of it again.

    `seed` and `commands` make the plan of who asks what and when, `faults` says how often
    something goes wrong meanwhile.
    """

    seed: Annotated[int, Meta(ge=0)]
    commands: Annotated[int, Meta(ge=1)] = COMMANDS_DEFAULT
    faults: Profile = Profile.HEAVY
    bug: str | None = None
    """The planted bug that the ledger has, by name."""
    deployment: bool = True
    """Whether the next release is deployed while commands come."""
    restore: bool = True
    """Whether the states table is lost and rebuilt in the middle."""
    replay: bool = True
    """Whether a projection is replayed in the middle."""
    redrive: bool = True
    """Whether dead letters are sent back now and then in the middle, too."""
    only: tuple[int, ...] | None = None
    """The places in the plan that are played, in rising order; all of them if None."""
    kinds: tuple[str, ...] | None = None
    """The kinds of faults that strike at all, by name (`CALL_REFUSED`); all of them if None."""
    often: Annotated[int, Meta(ge=1)] = 1
    """How many times as often as usual they strike: for a short run of few kinds."""
    strikes: tuple[int, ...] | None = None
    """The strikes that take place, by their order in the run from 0; all of them if None."""
    luck: int = 0
    """Another course of the same plan: other delays, other strikes."""
    until: tuple[str, ...] = ()
    """The promises with whose first breach the run ends, by name. Played to its end if none."""

    @property
    def world_seed(self) -> int:
        """What everything but the plan is drawn from."""
        return self.seed + self.luck * _LUCK_STRIDE

    def text(self) -> str:
        """As one line of JSON, of what is not as usual; `settings_of` reads it back."""
        return msgspec.json.encode(self).decode()


def settings_of(text: str) -> Settings:
    """What `Settings.text` wrote. Raises ValueError for anything else."""
    settings = msgspec.json.decode(text, type=Settings)
    for kind in settings.kinds or ():
        if kind not in Fault.__members__:
            raise ValueError(f"no kind of fault is called {kind!r}")
    return settings
