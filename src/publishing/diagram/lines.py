"""Which lines are drawn for the arrows of a model: what two boxes have to do is one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from publishing.diagram.grants import Verb
from publishing.diagram.model import Arrow, Model
from publishing.diagram.placement import Box
from publishing.diagram.roles import DRAWN
from publishing.diagram.routing import Link
from publishing.diagram.templates import Address

Look = Literal["message", "stored", "failed"]
_STORING: Final = frozenset({Verb.READS, Verb.WRITES})
#: In this order they find their ways, and the first are the straightest.
_LOOKS: Final[tuple[Look, ...]] = ("message", "stored", "failed")


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two boxes, the arrows that it stands for, and the ends that have heads."""

    source: Box
    target: Box
    look: Look
    arrows: tuple[Arrow, ...]
    head_at_source: bool
    head_at_target: bool

    @property
    def link(self) -> Link:
        """What its way depends on: lines of one origin, look and heads share a trunk."""
        heads = f"{self.head_at_source:d}{self.head_at_target:d}"
        return Link(self.source, self.target, f"{self.source.node.address} {self.look} {heads}")


def lines_of(model: Model, boxes: Mapping[Address, Box]) -> list[Line]:
    """All lines, in the order in which they find their ways."""
    between: dict[tuple[Address, Address], list[Arrow]] = {}
    for arrow in model.arrows:
        if arrow.verb in DRAWN:
            ends = arrow.source, arrow.target
            if arrow.verb is Verb.READS:  # begins at who reads, as what is written does
                ends = ends[::-1]
            between.setdefault(ends, []).append(arrow)
    lines = [_line(boxes[one], boxes[other], arrows) for (one, other), arrows in between.items()]
    return sorted(lines, key=lambda line: (_LOOKS.index(line.look), _length(line)))


def _line(source: Box, target: Box, arrows: Sequence[Arrow]) -> Line:
    verbs = {arrow.verb for arrow in arrows}
    if Verb.DEAD_LETTERS in verbs or target.node.kind == "dead letters":
        look: Look = "failed"
    elif verbs <= _STORING:
        look = "stored"
    else:
        look = "message"
    return Line(
        *(source, target, look, tuple(arrows)),
        head_at_source=Verb.READS in verbs,
        head_at_target=verbs != {Verb.READS},
    )


def _length(line: Line) -> int:
    across = max(0, line.target.x - line.source.right, line.source.x - line.target.right)
    return across + abs(line.target.middle - line.source.middle)
