"""The picture as SVG: legible on light pages and dark ones, every box and line with its title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from publishing.diagram.glyphs import COLOURS, SIZE, glyph
from publishing.diagram.grants import Verb
from publishing.diagram.layout import Layout
from publishing.diagram.lettering import FONTS, width_of
from publishing.diagram.lines import Line
from publishing.diagram.model import Model, Node
from publishing.diagram.placement import (
    KIND_SIZE,
    NAME_SIZE,
    TEXT_LEFT,
    Box,
    Panel,
    label_of,
)
from publishing.diagram.roles import roles_of
from publishing.diagram.routing import Point, Way

_LEGEND_HEIGHT: Final = 104
_MARGIN: Final = 56
_CORNER: Final = 6
_HEAD: Final = 8
_MARK: Final = 14  # the height of what is marked on a box
#: Class, property, value on a light page, value on a dark one.
_THEME: Final = (
    ("page", "fill", "#ffffff", "#0d1117"),
    ("page", "stroke", "#d0d7de", "#30363d"),
    ("box", "fill", "#ffffff", "#161b22"),
    ("box", "stroke", "#b6bfc9", "#484f58"),
    ("ink", "fill", "#1f2328", "#e6edf3"),
    ("soft", "fill", "#59636e", "#9198a1"),
    ("message", "stroke", "#424a53", "#aab4be"),
    ("message-head", "fill", "#424a53", "#aab4be"),
    ("stored", "stroke", "#0969da", "#4c9bff"),
    ("stored-head", "fill", "#0969da", "#4c9bff"),
    ("failed", "stroke", "#cf222e", "#f85149"),
    ("failed-head", "fill", "#cf222e", "#f85149"),
    ("panel0", "fill", "#eef5ff", "#0f1c30"),
    ("panel1", "fill", "#f1f7ec", "#131d10"),
    ("panel2", "fill", "#fdf6ec", "#1f180e"),
    ("key0", "fill", "#0969da", "#4c9bff"),
    ("key0", "stroke", "#0969da", "#4c9bff"),
    ("key1", "fill", "#c2570c", "#e8873a"),
    ("key1", "stroke", "#c2570c", "#e8873a"),
    *((f"tile-{family}", "fill", *colours) for family, colours in COLOURS.items()),
)
_SHAPES: Final = f"""\
.message, .stored, .failed {{ fill: none; stroke-width: 1.6; stroke-linejoin: round }}
.failed {{ stroke-width: 1.3; stroke-dasharray: 5 3 }}
.glyph {{ fill: none; stroke: #fff; stroke-width: 1.5 }}
.glyph {{ stroke-linecap: round; stroke-linejoin: round }}
.may {{ fill-opacity: 0 }}
.made {{ stroke-dasharray: 4 3 }}
.count {{ fill: #fff }}
text {{ font-family: {FONTS} }}
"""


def svg(model: Model, layout: Layout) -> bytes:
    """The whole picture."""
    return _Drawing(model, layout).svg()


class _Drawing:
    def __init__(self, model: Model, layout: Layout) -> None:
        self._model = model
        self._placement, self._lines = layout.placement, layout.lines
        self._keys = {key: f"key{number}" for number, key in enumerate(roles_of(model).keys)}
        stacks = dict.fromkeys(panel.stack for panel in self._placement.panels)
        self._stack_classes = {stack: f"panel{place}" for place, stack in enumerate(sorted(stacks))}

    def svg(self) -> bytes:
        width = self._placement.width
        height = self._placement.height + _LEGEND_HEIGHT
        boxes = list(self._placement.boxes.values())
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
            "<title>The stack: every resource, and every arrow between them</title>",
            f"<style>\n{_SHAPES}{_theme()}</style>",
            f'<rect class="page" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="12"/>',
            _text(_MARGIN, 44, "Every resource and every arrow", 18, bold=True),
            _text(
                _MARGIN, 64, "Drawn from the templates. A payment goes from left to right.", 12.5
            ),
            *(self._panel(panel) for panel in self._placement.panels),
            *(_line(line, way) for line, way in sorted(self._lines, key=_order)),
            *(self._box(box) for box in boxes),
            *self._legend(self._placement.height + 32),
            "</svg>\n",
        ]
        return "\n".join(parts).encode()

    def _panel(self, panel: Panel) -> str:
        label = _text(panel.x + 12, panel.y + 18, f"{panel.stack} stack", 11.5, soft=True)
        return (
            f'<rect class="{self._stack_classes[panel.stack]}" x="{panel.x}" y="{panel.y}" '
            f'width="{panel.width}" height="{panel.height}" rx="10"/>{label}'
        )

    def _box(self, box: Box) -> str:
        strokes, family = glyph(box.node.kind)
        name, kind = label_of(box.node)
        tile = SIZE + 4
        top = box.middle - tile // 2
        text_x = box.x + TEXT_LEFT
        made = "" if box.node.parts else " made"  # while the ledger runs: in no template
        if kind:
            texts = _text(text_x, box.middle - 2, name, NAME_SIZE, bold=True)
            texts += _text(text_x, box.middle + 14, kind, KIND_SIZE, soft=True)
        else:
            texts = _text(text_x, box.middle + 4, name, KIND_SIZE)
        return (
            f"<g><title>{escape(self._title(box.node))}</title>"
            f'<rect class="box{made}" x="{box.x}" y="{box.y}" width="{box.width}" '
            f'height="{box.height}" rx="7"/>'
            f'<rect class="tile-{family}" x="{box.x + 8}" y="{top}" width="{tile}" '
            f'height="{tile}" rx="5"/>'
            f'<path class="glyph" transform="translate({box.x + 10} {top + 2})" d="{strokes}"/>'
            f"{texts}{self._marks(box)}</g>"
        )

    def _title(self, node: Node) -> str:
        """The type and id of the resource, and how many of which type are folded into it.

        Ids of folded ones stay out: of some they change with the code.
        """
        if not node.parts:
            return f"{node.kind} {node.address.logical_id}, made while the ledger runs"
        itself, *others = (part.type for part in node.parts)
        counts = Counter(others)
        folded = ", ".join(f"{count} {type}" for type, count in sorted(counts.items()))
        lines = [f"{itself} {node.address.logical_id}", *([f"with {folded}"] if folded else [])]
        return "\n".join([*lines, *(f"{name}" for name in self._keys_of(node))])

    def _keys_of(self, node: Node) -> Iterator[str]:
        for verb, text in ((Verb.ENCRYPTS, "encrypted by the"), (Verb.USES, "may use the")):
            for arrow in self._model.arrows_of(verb):
                if node.address in {arrow.source, arrow.target} and node.kind != "key":
                    key = arrow.source if verb is Verb.ENCRYPTS else arrow.target
                    yield f"{text} {self._model.nodes[key].name}"

    def _marks(self, box: Box) -> str:
        """On the upper edge, from the right: its alarms, the keys that it needs."""
        x, y = box.right - 10, box.y
        marks = ""
        alarms = sum(
            len(arrow.facts)
            for arrow in self._model.arrows_of(Verb.WATCHES)
            if arrow.target == box.node.address
        )
        if alarms:
            width = 17 + round(width_of(str(alarms), 10, bold=True))
            x -= width
            marks += _bell(x, y, str(alarms), width)
            x -= 2
        for key, css in self._keys.items():
            encrypted, may = (
                any({arrow.source, arrow.target} == {key, box.node.address} for arrow in arrows)
                for arrows in map(self._model.arrows_of, (Verb.ENCRYPTS, Verb.USES))
            )
            if encrypted or may:
                x -= 11
                marks += _dot(x + 4, y, css, filled=encrypted)
        return marks

    def _legend(self, y: int) -> Iterator[str]:
        x = _MARGIN
        for look, words in (
            ("message", "is sent or invoked"),
            ("stored", "is written, read, or both"),
            ("failed", "could not be handled"),
        ):
            one, other = Point(x, y), Point(x + 36, y)
            heads = _head(one, other, look) + (_head(other, one, look) if look == "stored" else "")
            yield f'<path class="{look}" d="{_path((one, other))}"/>{heads}'
            yield _text(x + 46, y + 4, words, 12)
            x += 66 + round(width_of(words, 12))
        yield _bell(x, y, "2", 24)
        yield _text(x + 32, y + 4, "alarms on it", 12)
        x = _MARGIN
        for key, css in self._keys.items():
            encrypted, users = (
                len(
                    [
                        arrow
                        for arrow in self._model.arrows_of(verb)
                        if key in {arrow.source, arrow.target}
                    ]
                )
                for verb in (Verb.ENCRYPTS, Verb.USES)
            )
            title = escape(self._title(self._model.nodes[key]))
            words = f"{self._model.nodes[key].name}: encrypts {encrypted} of these,"
            yield f"<g><title>{title}</title>{_dot(x + 5, y + 30, css, filled=True)}"
            yield _text(x + 16, y + 34, words, 12)
            x += 22 + round(width_of(words, 12))
            yield _dot(x + 5, y + 30, css, filled=False)
            words = f"may be used by {users}"
            yield f"{_text(x + 16, y + 34, words, 12)}</g>"
            x += 48 + round(width_of(words, 12))
        words = "Roles, policies, log groups, versions and the like are in the box that they serve."
        yield _text(_MARGIN, y + 60, words, 12, soft=True)


def _order(drawn: tuple[Line, Way]) -> int:
    """What failed lies below what is stored, and that below what is sent."""
    return ("failed", "stored", "message").index(drawn[0].look)


def _line(line: Line, way: Way) -> str:
    heads = _head(way[-2], way[-1], line.look) if line.head_at_target else ""
    heads += _head(way[1], way[0], line.look) if line.head_at_source else ""
    title = "\n".join(
        f"{arrow.source.logical_id} {arrow.verb} {arrow.target.logical_id}" for arrow in line.arrows
    )
    return (
        f'<g><title>{escape(title)}</title><path class="{line.look}" d="{_path(way)}"/>{heads}</g>'
    )


def _path(way: Sequence[Point]) -> str:
    """Straight from corner to corner, each rounded."""
    text = f"M{way[0].x} {way[0].y}"
    for before, here, after in zip(way, way[1:], way[2:], strict=False):
        into, out = _towards(here, before, _CORNER), _towards(here, after, _CORNER)
        text += f"L{into.x} {into.y}Q{here.x} {here.y} {out.x} {out.y}"
    return f"{text}L{way[-1].x} {way[-1].y}"


def _towards(point: Point, other: Point, length: int) -> Point:
    distance = abs(other.x - point.x) + abs(other.y - point.y)
    length = min(length, distance // 2)
    return Point(
        point.x + (other.x - point.x) * length // distance,
        point.y + (other.y - point.y) * length // distance,
    )


def _head(before: Point, tip: Point, look: str) -> str:
    base = _towards(tip, before, _HEAD)
    if base.y == tip.y:
        corners = f"L{base.x} {base.y - 4}V{base.y + 4}"
    else:
        corners = f"L{base.x - 4} {base.y}H{base.x + 4}"
    return f'<path class="{look}-head" d="M{tip.x} {tip.y}{corners}Z"/>'


def _bell(x: int, y: int, text: str, width: int) -> str:
    strokes, family = glyph("alarms")
    return (
        f'<rect class="tile-{family}" x="{x}" y="{y - _MARK // 2}" width="{width}" '
        f'height="{_MARK}" rx="7"/><path class="glyph" '
        f'transform="translate({x + 2} {y - 6}) scale(.6)" d="{strokes}"/>'
        f'<text class="count" x="{x + 14}" y="{y + 3.5}" font-size="10" font-weight="600">'
        f"{text}</text>"
    )


def _dot(x: int, y: int, css: str, *, filled: bool) -> str:
    hollow = "" if filled else " may"
    ring = f'<circle class="box" cx="{x}" cy="{y}" r="5.5" stroke="none"/>'
    return f'{ring}<circle class="{css}{hollow}" cx="{x}" cy="{y}" r="3.6" stroke-width="1.6"/>'


def _text(
    x: int, y: float, words: str, size: float, *, bold: bool = False, soft: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    css = "soft" if soft else "ink"
    return f'<text class="{css}" x="{x}" y="{y}" font-size="{size}"{weight}>{escape(words)}</text>'


def _theme() -> str:
    """The colours for light pages, and those that take their place on dark ones."""
    light = "\n".join(f".{css} {{ {name}: {value} }}" for css, name, value, _ in _THEME)
    dark = "\n".join(f".{css} {{ {name}: {value} }}" for css, name, _, value in _THEME)
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
