"""The picture before it is drawn: where every box stands and every line goes."""

from __future__ import annotations

from dataclasses import dataclass

from publishing.diagram.lines import Line, lines_of
from publishing.diagram.model import Model
from publishing.diagram.placement import Placement, place
from publishing.diagram.routing import Way, route


@dataclass(frozen=True, slots=True)
class Layout:
    """The boxes and frames, and the lines with their ways."""

    placement: Placement
    lines: tuple[tuple[Line, Way], ...]


def lay_out(model: Model) -> Layout:
    """The layout of a model. Raises NoWayError when there is no room for a line."""
    placement = place(model)
    lines = lines_of(model, placement.boxes)
    ways = route(
        [line.link for line in lines],
        list(placement.boxes.values()),
        placement.panels,
        placement.width,
        placement.height,
    )
    return Layout(placement, tuple(zip(lines, ways, strict=True)))
