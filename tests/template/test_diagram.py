"""The picture of the stack says all that the templates say, and nothing else."""

import copy
import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

from publishing.diagram.drawing import svg
from publishing.diagram.grants import UnknownActionError, Verb
from publishing.diagram.layout import lay_out
from publishing.diagram.lettering import width_of
from publishing.diagram.lines import Line
from publishing.diagram.model import Arrow, Model, UnplacedResourceError, model_of
from publishing.diagram.placement import (
    KIND_SIZE,
    NAME_SIZE,
    TEXT_LEFT,
    Box,
    Placement,
    label_of,
    place,
)
from publishing.diagram.roles import DRAWN
from publishing.diagram.routing import Point, Way
from publishing.diagram.templates import Stacks, UnknownReferenceError
from tests.template.templates import Templates

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
# What a template says of a function beside what the function does: no arrow follows from it.
NO_ARROW = {
    "Environment": "names what its grants let it reach",
    "KeyPolicy": "lets a service use the key that a property of the resource names",
    "PolicyDocument": "of a queue, topic or bucket: lets in what brings messages there",
    "ResourcePolicy": "of a table: denies",
}


class Picture(NamedTuple):
    """What was drawn of the stage dev, and what it was drawn from."""

    model: Model
    placement: Placement
    lines: tuple[tuple[Line, Way], ...]
    svg: bytes


@pytest.fixture(scope="module")
def picture(both: dict[str, Templates]) -> Picture:
    """Drawn once for all tests."""
    model = model_of(_stacks(both))
    layout = lay_out(model)
    return Picture(model, layout.placement, layout.lines, svg(model, layout))


def test_the_picture_in_the_documentation_is_that_of_the_templates(picture: Picture) -> None:
    """Byte for byte: else run `make docs`."""
    assert (DOCS / "stack.svg").read_bytes() == picture.svg


def test_every_stage_has_the_same_picture(both: dict[str, Templates]) -> None:
    """The same boxes with the same contents, and the same arrows."""
    seen = []
    for templates in both.values():
        model = model_of(Stacks.read(templates.assembly))
        boxes = [
            (node.address, node.kind, node.name, Counter(part.type for part in node.parts))
            for node in model.nodes.values()
        ]
        seen.append((boxes, [(arrow.source, arrow.verb, arrow.target) for arrow in model.arrows]))
    assert seen[0] == seen[1]


def test_every_resource_is_in_exactly_one_node(templates: Templates) -> None:
    """Whatever the templates have is in the picture, by itself or folded into what it serves."""
    model = model_of(Stacks.read(templates.assembly))
    shown = Counter(part.address for node in model.nodes.values() for part in node.parts)
    assert shown == {(each.stack, each.logical_id): 1 for each in templates.resources()}
    drawn = {*place(model).boxes}
    assert set(model.nodes) - drawn == {
        address for address, node in model.nodes.items() if node.kind == "key"
    }


def test_every_arrow_rests_on_what_a_template_says(both: dict[str, Templates]) -> None:
    """Each fact is a place in the template of one end that names the other end, or a part of it."""
    templates = both["dev"]
    model = model_of(Stacks.read(templates.assembly))
    for arrow in model.arrows:
        ends = [model.nodes[arrow.source], model.nodes[arrow.target]]
        assert arrow.facts
        for address, path in arrow.facts:
            [near] = [node for node in ends if address in {part.address for part in node.parts}]
            [far] = [node for node in ends if node is not near]
            value: Any = templates.stacks[address.stack]["Resources"][address.logical_id]
            for step in ("Properties", *path):
                value = value[step]
            text = templates.text(address.stack, value)
            names = {
                *(templates.name(templates.find(*part.address)) for part in far.parts),
                *(part.properties.get("Environment", {}).get("Variables", {}).get(
                    "POWERTOOLS_SERVICE_NAME", "-"
                ) for part in far.parts),
                far.address.logical_id,
            }  # fmt: skip
            assert any(name in text for name in names), (arrow, text)


def test_every_reference_between_nodes_is_an_arrow(both: dict[str, Templates]) -> None:
    """Nothing that one resource says of another is left out, but for what is declared above."""
    stacks = Stacks.read(both["dev"].assembly)
    model = model_of(stacks)
    homes = {part.address: node.address for node in model.nodes.values() for part in node.parts}
    joined = {frozenset((arrow.source, arrow.target)) for arrow in model.arrows}
    unseen = {
        (str(resource.address), name, str(target))
        for resource in stacks.resources.values()
        for name, value in resource.properties.items()
        if name not in NO_ARROW or resource.type == "AWS::IAM::Policy"
        if resource.type not in {"AWS::CloudWatch::Dashboard", "AWS::DynamoDB::GlobalTable"}
        for target in stacks.references(resource.address.stack, value)
        if homes[target] != homes[resource.address]
        if frozenset((homes[target], homes[resource.address])) not in joined
    }
    assert unseen == set()


@pytest.mark.parametrize("verb", sorted(set(Verb) - {Verb.WATCHES}))
def test_an_arrow_goes_with_what_it_rests_on(both: dict[str, Templates], verb: Verb) -> None:
    """Without its facts it is not there, and no other comes in its place."""
    before = _stacks(both)
    model = model_of(before)
    arrow = model.arrows_of(verb)[0]
    after = model_of(_without(before, arrow))
    ends = {(each.source, each.verb, each.target) for each in after.arrows}
    assert (arrow.source, arrow.verb, arrow.target) not in ends
    assert ends < {(each.source, each.verb, each.target) for each in model.arrows}


def test_an_alarm_that_is_gone_is_not_counted(both: dict[str, Templates]) -> None:
    """What is marked on a box is the number of alarms that watch it."""
    before = _stacks(both)
    model = model_of(before)
    arrow = max(model.arrows_of(Verb.WATCHES), key=lambda each: len(each.facts))
    templates = copy.deepcopy(dict(before.templates))
    del templates["observability"]["Resources"][arrow.facts[0].resource.logical_id]
    # The dashboard shows every alarm: it would refer to what is not there.
    for address, node in model.nodes.items():
        if node.kind == "dashboard":
            del templates["observability"]["Resources"][address.logical_id]
    [left] = [
        each
        for each in model_of(Stacks(before.prefix, templates)).arrows_of(Verb.WATCHES)
        if each.target == arrow.target
    ]
    assert len(left.facts) == len(arrow.facts) - 1


def test_what_cannot_be_drawn_is_an_error(both: dict[str, Templates]) -> None:
    """An action of unknown meaning, a reference to nothing, a role that nobody has: none is left
    out silently."""

    def changed(logical_id: str, **properties: object) -> Stacks:
        before = _stacks(both)
        templates = copy.deepcopy(dict(before.templates))
        resource = templates["service"]["Resources"].setdefault(logical_id, {"Properties": {}})
        resource["Properties"] |= properties
        resource.setdefault("Type", "AWS::IAM::Role")
        return Stacks(before.prefix, templates)

    policy = next(
        each.logical_id
        for each in both["dev"].all("AWS::IAM::Policy")
        if "Relay" in each.logical_id
    )
    statement = {"Effect": "Allow", "Action": "dynamodb:Forget", "Resource": "*"}
    with pytest.raises(UnknownActionError, match="dynamodb:Forget is granted"):
        model_of(changed(policy, PolicyDocument={"Statement": [statement]}))
    with pytest.raises(UnknownReferenceError, match="service/Nothing"):
        model_of(changed(policy, Roles=[{"Ref": "Nothing"}]))
    with pytest.raises(UnplacedResourceError, match=r"service/Idle \(AWS::IAM::Role\)"):
        model_of(changed("Idle"))


def test_boxes_stand_apart(picture: Picture) -> None:
    """No two overlap or touch, and none reaches beyond the canvas."""
    for one, other in combinations(picture.placement.boxes.values(), 2):
        assert (
            one.right + 16 <= other.x
            or other.right + 16 <= one.x
            or one.bottom + 16 <= other.y
            or other.bottom + 16 <= one.y
        ), (one, other)
    for box in picture.placement.boxes.values():
        assert 0 < box.x < box.right < picture.placement.width
        assert 0 < box.y < box.bottom < picture.placement.height


def test_each_box_is_framed_by_its_stack_alone(picture: Picture) -> None:
    """Frames do not overlap either."""
    for one, other in combinations(picture.placement.panels, 2):
        assert (
            one.x + one.width < other.x
            or other.x + other.width < one.x
            or one.y + one.height < other.y
            or other.y + other.height < one.y
        ), (one, other)
    for box in picture.placement.boxes.values():
        around = [
            panel.stack
            for panel in picture.placement.panels
            if panel.x < box.x < box.right < panel.x + panel.width
            if panel.y < box.y < box.bottom < panel.y + panel.height
        ]
        assert around == [box.node.stack]


def test_labels_fit_into_their_boxes(picture: Picture) -> None:
    """By an estimate for the widest of the fonts that are asked for."""
    for box in picture.placement.boxes.values():
        name, kind = label_of(box.node)
        size = NAME_SIZE if kind else KIND_SIZE
        width = max(width_of(name, size, bold=bool(kind)), width_of(kind, KIND_SIZE))
        assert TEXT_LEFT + width + 8 <= box.width, name


def test_lines_lead_from_box_to_box_and_round_the_others(picture: Picture) -> None:
    """They begin and end at a side of theirs, go at right angles, and run through no box."""
    boxes = picture.placement.boxes.values()
    for line, way in picture.lines:
        assert _is_at(line.source, way[0])
        assert _is_at(line.target, way[-1])
        for one, other in pairwise(way):
            assert (one.x == other.x) != (one.y == other.y)
            left, right = sorted((one.x, other.x))
            top, bottom = sorted((one.y, other.y))
            assert not any(
                left < box.right and right > box.x and top < box.bottom and bottom > box.y
                for box in boxes
            )


def test_lines_of_different_origin_never_run_on_each_other(picture: Picture) -> None:
    """They cross at most: what looks like one line has one origin and one meaning."""
    taken: dict[tuple[int, int, int, int], str] = {}
    for line, way in picture.lines:
        for one, other in pairwise(way):
            for step in _steps(one, other):
                assert taken.setdefault(step, line.link.net) == line.link.net


def test_every_line_is_drawn(picture: Picture) -> None:
    """Each pair of boxes that an arrow joins has a line."""
    pairs = {
        frozenset((line.source.node.address, line.target.node.address)) for line, _ in picture.lines
    }
    assert pairs == {
        frozenset((arrow.source, arrow.target))
        for arrow in picture.model.arrows
        if arrow.verb in DRAWN
    }


def test_the_picture_is_text_with_a_title_for_every_box_and_line(picture: Picture) -> None:
    """Labels can be read, searched and translated; a box's title says its type and logical id."""
    root = ET.fromstring(picture.svg)  # noqa: S314 - our own
    texts = [element.text for element in root.iter(f"{SVG}text")]
    titles = [element.text or "" for element in root.iter(f"{SVG}title")]
    for node in picture.model.nodes.values():
        if node.kind != "key":
            assert label_of(node)[0] in texts
        if node.parts:
            assert any(
                title.startswith(f"{node.parts[0].type} {node.address.logical_id}")
                for title in titles
            ), node.address
    for arrow in picture.model.arrows:
        if arrow.verb in DRAWN:
            words = f"{arrow.source.logical_id} {arrow.verb} {arrow.target.logical_id}"
            assert any(words in title.splitlines() for title in titles)


def test_the_picture_suits_light_and_dark_pages_and_loads_nothing(picture: Picture) -> None:
    """It has colours for both, every class that it uses has a colour, and nothing is fetched."""
    text = picture.svg.decode()
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    for css in set(re.findall(r'class="([\w -]+)"', text)):
        for name in css.split():
            assert f".{name}" in light
            if name not in {"glyph", "may", "made", "count"}:
                assert f".{name} " in dark, name
    assert re.findall(r"(?:https?:)?//[^\s\"']+", text) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in text


def test_what_changes_with_the_code_is_not_in_the_picture(both: dict[str, Templates]) -> None:
    """Versions and deployments are named after what is in them: they would change it every time."""
    text = (DOCS / "stack.svg").read_text()
    for type in ("AWS::Lambda::Version", "AWS::ApiGateway::Deployment"):
        assert type in text
        assert not any(each.logical_id in text for each in both["dev"].all(type))


def _stacks(both: dict[str, Templates]) -> Stacks:
    return Stacks.read(both["dev"].assembly)


def _without(stacks: Stacks, arrow: Arrow) -> Stacks:
    """The templates without the places that an arrow rests on: of a policy, whole statements."""
    templates = copy.deepcopy(dict(stacks.templates))
    for address, path in sorted(arrow.facts, reverse=True):
        steps = path[:3] if "Statement" in path else path
        holder: Any = templates[address.stack]["Resources"][address.logical_id]["Properties"]
        for step in steps[:-1]:
            holder = holder[step]
        del holder[steps[-1]]
    return Stacks(stacks.prefix, templates)


def _is_at(box: Box, point: Point) -> bool:
    beside = point.x in {box.x, box.right} and box.y < point.y < box.bottom
    above = point.y in {box.y, box.bottom} and box.x < point.x < box.right
    return beside or above


def _steps(one: Point, other: Point) -> list[tuple[int, int, int, int]]:
    """The steps of a grid of 8 that a stretch of line is made of."""
    (left, top), (right, bottom) = sorted(((one.x, one.y), (other.x, other.y)))
    if top == bottom:
        return [(x, top, x + 8, top) for x in range(left, right, 8)]
    return [(left, y, left, y + 8) for y in range(top, bottom, 8)]
