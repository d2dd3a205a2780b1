"""Every planted bug."""

from __future__ import annotations

from typing import Final

from simulation.bugs.consuming import CONSUMING
from simulation.bugs.deciding import DECIDING
from simulation.bugs.grouping import GROUPING
from simulation.bugs.operating import OPERATING
from simulation.bugs.planted import PlantedBug
from simulation.bugs.projecting import PROJECTING
from simulation.bugs.publishing import PUBLISHING
from simulation.bugs.reading import READING
from simulation.bugs.rules import RULES
from simulation.bugs.striping import STRIPING

BUGS: Final[tuple[PlantedBug, ...]] = (
    *DECIDING,
    *GROUPING,
    *RULES,
    *STRIPING,
    *PUBLISHING,
    *READING,
    *PROJECTING,
    *CONSUMING,
    *OPERATING,
)
_BY_NAME: Final = {bug.name: bug for bug in BUGS}


def planted(name: str) -> PlantedBug:
    """The bug of that name. Raises KeyError."""
    return _BY_NAME[name]
