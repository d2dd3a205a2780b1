"""Ways for the lines: right angles on a grid, around boxes, never on each other.

Each line is found by A* over the grid: short ways first, bends and crossings cost. Lines of one net
share a trunk.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from publishing.diagram.placement import GRID, Box, Panel

_BEND_COST: Final = 28
_CROSSING_COST: Final = 40
_BETWEEN_COST: Final = 16  # for each step between two boxes that stand on each other
_FOREIGN_COST: Final = 8  # for each step in a frame that holds neither end of the line
_PORT_COST: Final = 2  # for each step of a port from the middle of its side
_WRONG_SIDE_COST: Final = 100  # leaving to the left, or arriving from the right
_NEW_TRUNK_COST: Final = 60  # for a net that has one
_CLEAR_X: Final = 2  # steps of a line from the side of a box: room for an arrow head
_CLEAR_Y: Final = 1
_LABEL: Final = (12, 3)  # the steps that the words in a panel's corner take
_TITLE: Final = (52, 8)  # those of the words on top of it all

_RIGHT, _LEFT, _DOWN, _UP = range(4)
_HORIZONTAL, _VERTICAL = 1, 2  # bits: how lines pass a cell
_AXES: Final = (_HORIZONTAL, _HORIZONTAL, _VERTICAL, _VERTICAL)
_TURNS: Final = ((_DOWN, _UP), (_DOWN, _UP), (_RIGHT, _LEFT), (_RIGHT, _LEFT))

Cell = int
"""A point of the grid, numbered row by row: fast to step, to hash and to compare."""
State = int
"""Four times a cell, and the direction in which one came there."""


class Point(NamedTuple):
    """A place on the canvas."""

    x: int
    y: int


Way = tuple[Point, ...]
"""The corners of a line, its ends included."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line that is wanted. Links of one `net` have one source and may share their way."""

    source: Box
    target: Box
    net: str


class NoWayError(RuntimeError):
    """The grid does not suffice for a line: there must be more room between boxes."""


def route(
    links: Sequence[Link],
    boxes: Sequence[Box],
    panels: Sequence[Panel],
    width: int,
    height: int,
) -> list[Way]:
    """The way of each link, from a side of its source to a side of its target.

    They are found in the order given, so the first are the straightest. Raises NoWayError.
    """
    router = _Router(boxes, panels, width // GRID, height // GRID)
    return [router.way(link) for link in links]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a box, with its free ports: by the state before it, the port and its cost."""

    inwards: int
    ports: Mapping[State, tuple[Cell, int]]
    column: int  # of the cells before it
    top: int  # rows
    bottom: int
    cost: int

    def at_least(self, column: int, row: int, direction: int) -> int:
        """What is left to pay from there: no more than it will be, so that the first way found is
        the best."""
        across = column - self.column
        down = max(0, self.top - row, row - self.bottom)
        if direction >= _DOWN:
            bends = 1
        else:
            past = across > 0 if self.inwards == _RIGHT else across < 0
            bends = 2 if down or past or direction != self.inwards else 0
        return (abs(across) + down) * GRID + bends * _BEND_COST + self.cost


class _Router:
    def __init__(
        self, boxes: Sequence[Box], panels: Sequence[Panel], columns: int, rows: int
    ) -> None:
        self._boxes = boxes
        self._columns = columns + 1
        self._steps = (1, -1, self._columns, -self._columns)
        # What a step into each cell costs; 0 for those that no line may enter.
        self._costs = [GRID] * (self._columns * (rows + 1))
        self._raise_costs_between_boxes()
        edge = [(0, 0, columns, 0), (0, rows, columns, rows), (0, 0, 0, rows)]
        for left, top, right, bottom in [*edge, (columns, 0, columns, rows)]:
            self._block(left, top, right, bottom)
        self._frames = [0] * len(self._costs)  # by cell: the number of the frame around it, from 1
        for number, panel in enumerate(panels, start=1):
            left, top = panel.x // GRID, panel.y // GRID
            right, bottom = (panel.x + panel.width) // GRID, (panel.y + panel.height) // GRID
            for row in range(top, bottom + 1):
                start = row * self._columns
                self._frames[start + left : start + right + 1] = [number] * (right - left + 1)
            self._block(left, top, left + _LABEL[0], top + _LABEL[1] - 1)
        self._block(0, 0, _TITLE[0], _TITLE[1])
        for box in boxes:
            left, right = box.x // GRID - _CLEAR_X + 1, box.right // GRID + _CLEAR_X - 1
            self._block(left, box.y // GRID, right, box.bottom // GRID)
        # By cell: how the lines of each net pass it.
        self._passing: dict[Cell, dict[str, int]] = {}
        # By net: the way from its source to each cell that it has reached.
        self._trees: dict[str, dict[Cell, list[Cell]]] = {}

    def way(self, link: Link) -> Way:
        """The corners of the link's way, which is then taken."""
        cells = self._straight(link) or self._found(link)
        tree = self._trees.setdefault(link.net, {})
        for place, cell in enumerate(cells):
            tree.setdefault(cell, cells[: place + 1])
        for one, other in pairwise(cells):
            axis = _HORIZONTAL if abs(one - other) == 1 else _VERTICAL
            for cell in (one, other):
                passing = self._passing.setdefault(cell, {})
                passing[link.net] = passing.get(link.net, 0) | axis
        corners = [
            here
            for before, here, after in zip(cells, cells[1:], cells[2:], strict=False)
            if here - before != after - here
        ]
        return tuple(self._point(cell) for cell in (cells[0], *corners, cells[-1]))

    def _block(self, left: int, top: int, right: int, bottom: int) -> None:
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                self._costs[row * self._columns + column] = 0

    def _raise_costs_between_boxes(self) -> None:
        """A line that crosses a column of boxes had better go above or below it."""
        for left, right in {(box.x, box.right) for box in self._boxes}:
            within = [box.y // GRID for box in self._boxes if (box.x, box.right) == (left, right)]
            for row in range(min(within), max(within)):
                for column in range(left // GRID, right // GRID + 1):
                    self._costs[row * self._columns + column] = GRID + _BETWEEN_COST

    def _straight(self, link: Link) -> list[Cell] | None:
        """Straight down or up, between boxes that stand on each other."""
        upper, lower = sorted((link.source, link.target), key=lambda box: box.y)
        x = upper.x + upper.width // 2
        between = any(
            box.x < x < box.right and upper.bottom <= box.y < lower.y for box in self._boxes
        )
        if between or lower.x + lower.width // 2 != x:
            return None
        cells = [self._cell(x, y) for y in range(upper.bottom, lower.y + GRID, GRID)]
        return cells if upper is link.source else cells[::-1]

    def _found(self, link: Link) -> list[Cell]:
        sides = self._sides(link)
        ends = (self._cell(box.x, box.middle) for box in (link.source, link.target))
        home = {0, *(self._frames[cell] for cell in ends)}
        # By what they will cost at least, then by age; a way to a port is there.
        waiting: list[tuple[int, int, int, State]] = []
        costs: dict[State, int] = {}
        previous: dict[State, State | list[Cell]] = {}

        def reach(state: State, cost: int, origin: State | list[Cell]) -> None:
            if cost < costs.get(state, cost + 1):
                costs[state] = cost
                previous[state] = origin
                row, column = divmod(state >> 2, self._columns)
                ahead = min(side.at_least(column, row, state & 3) for side in sides)
                heapq.heappush(waiting, (cost + ahead, len(previous), cost, state))

        for state, cost, way in self._starts(link):
            reach(state, cost, way)
        arrived: dict[State, State] = {}
        while waiting:
            *_, cost, state = heapq.heappop(waiting)
            if state in arrived:
                return self._traced(arrived[state], previous, state >> 2)
            if cost > costs[state]:
                continue  # it was reached more cheaply since
            for after, more in self._next(state, link.net, home):
                reach(after, cost + more, state)
            for end, more in self._ends(state, sides, link.net):
                if cost + more < costs.get(end, cost + more + 1):
                    costs[end] = cost + more
                    arrived[end] = state
                    heapq.heappush(waiting, (cost + more, len(previous), cost + more, end))
        raise NoWayError(f"from {link.source.node.address} to {link.target.node.address}")

    def _next(self, state: State, net: str, home: Set[int]) -> Iterator[tuple[State, int]]:
        """Straight on or round a corner, as far as other lines allow; with what it costs."""
        cell, direction = state >> 2, state & 3
        crossing = self._crossing(state, net)
        ways = [(direction, crossing)] if self._may_pass(state, net) else []
        if not crossing:
            ways += [(turn, _BEND_COST) for turn in _TURNS[direction]]
        for towards, cost in ways:
            other = cell + self._steps[towards]
            step = self._costs[other]
            if step:
                foreign = 0 if self._frames[other] in home else _FOREIGN_COST
                yield other << 2 | towards, cost + step + foreign

    def _ends(self, state: State, sides: Sequence[_Side], net: str) -> Iterator[tuple[State, int]]:
        """The port straight ahead, if there is one, with what it costs."""
        for side in sides:
            if state in side.ports and self._may_pass(state, net):
                port, cost = side.ports[state]
                yield port << 2 | side.inwards, cost + self._crossing(state, net)

    def _may_pass(self, state: State, net: str) -> bool:
        """Whether no other line ends or turns there along the same axis."""
        axis = _AXES[state & 3]
        passing = self._passing.get(state >> 2)
        return not passing or not any(
            bits & axis for other, bits in passing.items() if other != net
        )

    def _crossing(self, state: State, net: str) -> int:
        passing = self._passing.get(state >> 2)
        return _CROSSING_COST * (len(passing) - (net in passing)) if passing else 0

    def _traced(
        self, state: State, previous: Mapping[State, State | list[Cell]], port: Cell
    ) -> list[Cell]:
        cells = [port]
        origin: State | list[Cell] = state
        while isinstance(origin, int):
            cells.append(origin >> 2)
            origin = previous[origin]
        return list(self._every_step([*origin, *reversed(cells)]))

    def _starts(self, link: Link) -> Iterator[tuple[State, int, list[Cell]]]:
        """From the net's trunk, or from a port of the source; with the way to there."""
        tree = self._trees.get(link.net, {})
        for cell, way in tree.items():
            if self._costs[cell] and len(self._passing[cell]) == 1:
                for direction in range(4):
                    yield cell << 2 | direction, _BEND_COST, way[:-1]
        extra = _NEW_TRUNK_COST if tree else 0
        for port, direction, cost in self._ports(link.source, link.net, _RIGHT):
            first = port + _CLEAR_X * self._steps[direction]
            yield first << 2 | direction, cost + extra, [port]

    def _sides(self, link: Link) -> list[_Side]:
        """The sides of the target."""
        found: dict[int, dict[State, tuple[Cell, int]]] = {}
        for port, outwards, cost in self._ports(link.target, link.net, _LEFT):
            before = port + _CLEAR_X * self._steps[outwards]
            inwards = outwards ^ 1
            found.setdefault(inwards, {})[before << 2 | inwards] = port, cost
        sides = []
        for inwards, ports in found.items():
            places = [divmod(state >> 2, self._columns) for state in ports]
            rows = [row for row, _ in places]
            least = min(cost for _, cost in ports.values())
            sides.append(_Side(inwards, ports, places[0][1], min(rows), max(rows), least))
        return sides

    def _ports(self, box: Box, net: str, best: int) -> Iterator[tuple[Cell, int, int]]:
        """Free places at the sides, with the direction that leads away, and what they cost."""
        for direction, x in ((_RIGHT, box.right), (_LEFT, box.x)):
            side = 0 if direction == best else _WRONG_SIDE_COST
            for y in range(box.y + GRID, box.bottom, GRID):
                port = self._cell(x, y)
                if not set(self._passing.get(port, ())) - {net}:
                    yield port, direction, side + abs(y - box.middle) // GRID * _PORT_COST

    def _cell(self, x: int, y: int) -> Cell:
        return y // GRID * self._columns + x // GRID

    def _point(self, cell: Cell) -> Point:
        row, column = divmod(cell, self._columns)
        return Point(column * GRID, row * GRID)

    def _every_step(self, cells: Sequence[Cell]) -> Iterator[Cell]:
        """All cells on a way that leaves out some of them on straight stretches."""
        for one, other in pairwise(cells):
            distance = other - one
            unit = 1 if abs(distance) < self._columns else self._columns
            yield from range(one, other, unit if distance > 0 else -unit)
        yield cells[-1]
