"""Where each box stands, on a grid, and the frames around neighbours of one stack."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from publishing.diagram.grants import Verb
from publishing.diagram.lettering import width_of
from publishing.diagram.model import Model, Node
from publishing.diagram.roles import (
    CONSUMERS,
    DECIDERS,
    DRAWN,
    ENTRANCES,
    INTAKES,
    LATER_CONSUMERS,
    LATER_INTAKES,
    LATER_OUTLETS,
    OUTLETS,
    SPINE,
    WATCHERS,
    Cell,
    roles_of,
)
from publishing.diagram.templates import Address

GRID: Final = 8  # every coordinate is a multiple of it

NAME_SIZE: Final = 13.0
KIND_SIZE: Final = 11.0
TEXT_LEFT: Final = 40  # of a box, beside its glyph
_TEXT_RIGHT: Final = 12
_HEIGHT: Final = 48
_COMPACT_HEIGHT: Final = 32
#: Drawn small: what is always the same beside something that is not.
_COMPACT_KINDS: Final = frozenset({"rule", "dead letters", "archive"})

_LEFT: Final = 80
_TOP: Final = 136  # below the title and the long ways round
#: Between each column and the next; more where more lines run.
_CHANNELS: Final = (72, 72, 72, 72, 104, 0)
_STACKED: Final = 16  # between boxes that belong together
_APART: Final = 24
_BESIDE: Final = 32  # an arrow's length
_PADDING: Final = 24  # of a panel
_LABEL: Final = 24
_PANELS_APART: Final = 2 * _PADDING + _LABEL + 16
#: Columns of the second line, by those of the first that they stand below.
_BELOW: Final = {ENTRANCES: LATER_INTAKES, DECIDERS: LATER_CONSUMERS, SPINE: LATER_OUTLETS}
_ABOVE: Final = {later: first for first, later in _BELOW.items()}


@dataclass(frozen=True, slots=True)
class Box:
    """A node with its place."""

    node: Node
    x: int
    y: int
    width: int
    height: int
    column: int

    @property
    def right(self) -> int:
        """Where it ends."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Where it ends."""
        return self.y + self.height

    @property
    def middle(self) -> int:
        """Halfway down."""
        return self.y + self.height // 2

    @property
    def compact(self) -> bool:
        """Whether it has one line of text instead of two."""
        return self.height == _COMPACT_HEIGHT


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame around neighbours of one stack."""

    stack: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Placement:
    """All boxes but the keys', the frames around them, and the size of it all."""

    boxes: Mapping[Address, Box]
    panels: tuple[Panel, ...]
    width: int
    height: int


def label_of(node: Node) -> tuple[str, str]:
    """The lines of a box; the second is empty where the first says it all."""
    if node.kind == "rule":
        return f"rule {node.name}", ""
    return node.name, "" if node.kind in _COMPACT_KINDS else node.kind


def place(model: Model) -> Placement:
    """The places of all nodes."""
    columns = roles_of(model).columns
    return _Placing(model, columns).placement()


class _Placing:
    def __init__(self, model: Model, columns: Sequence[Sequence[Cell]]) -> None:
        self._model = model
        self._cells = columns
        self._boxes: dict[Address, Box] = {}
        self._left: list[int] = []
        self._widths = [
            max(self._width(columns[column]), self._width(columns[_BELOW[column]]))
            if column in _BELOW
            else self._width(columns[column])
            for column in range(len(_CHANNELS))
        ]
        x = _LEFT
        for width, channel in zip(self._widths, _CHANNELS, strict=True):
            self._left.append(x)
            x += width + channel

    def placement(self) -> Placement:
        self._stack_up(ENTRANCES, _TOP)
        self._align(DECIDERS, self._by_height(DECIDERS))
        self._stack_panels(SPINE)
        idle = self._idle(CONSUMERS, INTAKES)
        self._stack_up(INTAKES, self._align(CONSUMERS, idle, wanted=False))
        self._align(CONSUMERS, [each for each in self._by_height(CONSUMERS) if each not in idle])
        self._align(OUTLETS, self._outlets(OUTLETS))
        self._second_line()
        self._watchers()
        panels = self._panels()
        right = max(panel.x + panel.width for panel in panels)
        bottom = max(panel.y + panel.height for panel in panels)
        return Placement(self._boxes, panels, right + _LEFT - _PADDING, bottom)

    def _second_line(self) -> None:
        top = self._below(ENTRANCES, DECIDERS, SPINE)
        idle = self._idle(LATER_CONSUMERS, LATER_INTAKES)
        self._stack_up(LATER_INTAKES, top)
        fed = [each for each in self._by_height(LATER_CONSUMERS) if each not in idle]
        self._align(LATER_CONSUMERS, [*fed, *idle], top=top)
        self._align(LATER_OUTLETS, self._outlets(LATER_OUTLETS), top=top)

    def _idle(self, column: int, intakes: int) -> list[Address]:
        """The functions that no queue of the column before feeds."""
        queues = {each for cell in self._cells[intakes] for each in cell}
        fed = {arrow.target for arrow in self._model.arrows if arrow.source in queues}
        return [each for (each,) in self._cells[column] if each not in fed]

    def _below(self, *columns: int) -> int:
        bottoms = [box.bottom for box in self._boxes.values() if box.column in columns]
        return max(bottoms, default=_TOP) + _PANELS_APART

    def _outlets(self, column: int) -> list[Address]:
        """By stack, those of the stack first whose makers stand highest; then by their makers."""
        outlets = [each for (each,) in self._cells[column]]
        wanted = {each: self._wanted(each) or 0 for each in outlets}
        first: dict[str, float] = {}
        for each in sorted(outlets, key=lambda each: wanted[each]):
            first.setdefault(each.stack, wanted[each])
        return sorted(outlets, key=lambda each: (first[each.stack], wanted[each]))

    def _stack_up(self, column: int, top: int) -> None:
        """Cell below cell."""
        y = top
        for cell in self._cells[column]:
            for address in cell:
                y = self._put(address, column, y).bottom + _STACKED
            y += _APART - _STACKED

    def _stack_panels(self, column: int) -> None:
        y = _TOP
        for cell in self._cells[column]:
            for address in cell:
                y = self._put(address, column, y).bottom + _APART
            y += _PANELS_APART - _APART

    def _align(
        self, column: int, addresses: Iterable[Address], *, top: int = _TOP, wanted: bool = True
    ) -> int:
        """One below the other, each beside the middle of what leads to it if there is room.

        Says where there is room for more.
        """
        free = max((box.bottom + _APART for box in self._of_column(column)), default=top)
        before: str | None = None
        for address in addresses:
            if before not in {None, address.stack}:
                free += _PANELS_APART - _APART
            middle = self._wanted(address) if wanted else None
            height = _height(self._model.nodes[address])
            y = free if middle is None else max(free, _on_grid(middle - height / 2))
            free = self._put(address, column, y).bottom + _APART
            before = address.stack
        return free

    def _of_column(self, column: int) -> list[Box]:
        return [box for box in self._boxes.values() if box.column == column]

    def _by_height(self, column: int) -> list[Address]:
        functions = [each for (each,) in self._cells[column]]
        return sorted(functions, key=lambda each: self._wanted(each) or 0)

    def _wanted(self, address: Address) -> float | None:
        """The mean height of what feeds it, or else of what it has to do with; None without any."""
        met = [arrow for arrow in self._model.arrows if arrow.verb in DRAWN]
        fed = [arrow for arrow in met if arrow.target == address and arrow.verb is Verb.FEEDS]
        middles = [
            self._boxes[other].middle
            for arrow in fed or met
            if address in {arrow.source, arrow.target}
            for other in (arrow.source, arrow.target)
            if other in self._boxes and self._boxes[other].node.kind != "dead letters"
        ]
        return sum(middles) / len(middles) if middles else None

    def _watchers(self) -> None:
        """Side by side below the consumers."""
        x, y = self._left[INTAKES], self._below(INTAKES, CONSUMERS)
        for (address,) in self._cells[WATCHERS]:
            node = self._model.nodes[address]
            width = _box_width(node)
            self._boxes[address] = Box(node, x, y, width, _height(node), WATCHERS)
            x += width + _BESIDE

    def _put(self, address: Address, column: int, y: int) -> Box:
        node = self._model.nodes[address]
        place = _ABOVE.get(column, column)
        box = Box(node, self._left[place], y, self._widths[place], _height(node), column)
        self._boxes[address] = box
        return box

    def _width(self, cells: Sequence[Cell]) -> int:
        return max(
            (_box_width(self._model.nodes[each]) for cell in cells for each in cell), default=0
        )

    def _panels(self) -> tuple[Panel, ...]:
        """Around runs of one stack: of a column, or of two whose boxes are all of that stack."""
        panels: list[Panel] = []
        for columns in (
            *((ENTRANCES, DECIDERS), (SPINE,), (INTAKES, CONSUMERS), (OUTLETS,)),
            *((LATER_INTAKES, LATER_CONSUMERS), (LATER_OUTLETS,)),
        ):
            boxes = [box for box in self._boxes.values() if box.column in columns]
            boxes.sort(key=lambda box: box.y)
            panels += [_around(stack, list(run)) for stack, run in groupby(boxes, _stack_of)]
        watchers = [box for box in self._boxes.values() if box.column == WATCHERS]
        return (*panels, *([_around(watchers[0].node.stack, watchers)] if watchers else []))


def _stack_of(box: Box) -> str:
    return box.node.stack


def _around(stack: str, boxes: Sequence[Box]) -> Panel:
    left, top = min(box.x for box in boxes) - _PADDING, min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    top -= _PADDING + _LABEL - GRID
    return Panel(stack, left, top, right + _PADDING - left, bottom + _PADDING - top)


def _height(node: Node) -> int:
    return _COMPACT_HEIGHT if node.kind in _COMPACT_KINDS else _HEIGHT


def _box_width(node: Node) -> int:
    name, kind = label_of(node)
    compact = node.kind in _COMPACT_KINDS
    name_width = width_of(name, KIND_SIZE if compact else NAME_SIZE, bold=not compact)
    text = max(name_width, width_of(kind, KIND_SIZE))
    whole = 2 * GRID  # so that the middle is on the grid, too
    return math.ceil((TEXT_LEFT + text + _TEXT_RIGHT) / whole) * whole


def _on_grid(value: float) -> int:
    return int(value // GRID) * GRID
