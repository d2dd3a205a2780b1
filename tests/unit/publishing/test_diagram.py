"""The parts of the diagram by themselves; tests/template/test_diagram.py has them on the stack."""

from __future__ import annotations

from typing import Any

import pytest

from publishing.diagram.grants import Verb
from publishing.diagram.lettering import width_of
from publishing.diagram.model import Model, Node, model_of
from publishing.diagram.placement import Box
from publishing.diagram.routing import Link, NoWayError, Way, route
from publishing.diagram.templates import Address, Stacks, UnknownReferenceError

SIZE = 480


def box(x: int, y: int, name: str = "box") -> Box:
    node = Node(Address("service", f"{name}{x}{y}"), "function", name, ())
    return Box(node, x, y, width=64, height=48, column=0)


def ways(links: list[Link], boxes: list[Box]) -> list[Way]:
    return route(links, boxes, [], SIZE, SIZE)


def stacks(service: dict[str, Any], **data: Any) -> Stacks:
    parameters = {"Limit": {"Type": "String"}}
    return Stacks(
        "ledger-dev-",
        {
            "data": {"Resources": {}, **data},
            "service": {"Parameters": parameters, "Resources": service},
        },
    )


def test_a_line_to_a_neighbour_is_straight() -> None:
    """Nothing in between, no bend."""
    one, other = box(80, 200), box(320, 200)
    assert ways([Link(one, other, "a")], [one, other]) == [((144, 224), (320, 224))]


def test_a_line_goes_round_what_stands_in_its_way() -> None:
    """At right angles, with as few bends as there can be: four."""
    one, between, other = box(80, 200), box(200, 200), box(320, 200)
    [way] = ways([Link(one, other, "a")], [one, between, other])
    assert len(way) == 6
    assert all(y <= 192 or y >= 256 for x, y in way[2:4])


def test_boxes_that_stand_on_each_other_are_joined_straight() -> None:
    """From middle to middle, in either direction."""
    upper, lower = box(80, 200), box(80, 264)
    assert ways([Link(upper, lower, "a")], [upper, lower]) == [((112, 248), (112, 264))]
    assert ways([Link(lower, upper, "a")], [upper, lower]) == [((112, 264), (112, 248))]


def test_lines_of_one_net_share_a_trunk_and_others_do_not() -> None:
    """The first part of the way is the same, or no part is."""
    one, high, low = box(80, 200), box(320, 80), box(320, 320)
    shared = ways([Link(one, high, "a"), Link(one, low, "a")], [one, high, low])
    apart = ways([Link(one, high, "a"), Link(one, low, "b")], [one, high, low])
    assert shared[0][:2] == shared[1][:2]
    assert apart[0][0] != apart[1][0]


def test_no_way_is_an_error() -> None:
    """A box that is walled in cannot be reached: rather no picture than a wrong one."""
    target = box(200, 200)
    walls = [box(x, y) for x in (112, 200, 288) for y in (144, 200, 256) if (x, y) != (200, 200)]
    source = box(16, 400)
    with pytest.raises(NoWayError, match="service/box200200"):
        ways([Link(source, target, "a")], [source, target, *walls])


def test_widths_grow_with_text_size_and_weight() -> None:
    """And a character that no label should have is an error, not a guess."""
    assert width_of("commands", 13) > width_of("commands", 11) > width_of("command", 11) > 0
    assert width_of("commands", 13, bold=True) > width_of("commands", 13)
    with pytest.raises(KeyError):
        width_of("☃", 13)


def test_a_parameter_is_no_resource_and_what_is_not_there_is_an_error() -> None:
    """Pseudo parameters and the template's own are passed by; a dangling reference is not."""
    templates = stacks({})
    for known in ("Limit", "AWS::Region"):
        assert list(templates.references("service", {"Ref": known})) == []
    for unknown in ({"Ref": "Queue"}, {"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::ImportValue": "x"}):
        with pytest.raises(UnknownReferenceError):
            list(templates.references("service", unknown))


def test_an_import_leads_to_the_stack_that_exports() -> None:
    """By way of its output."""
    templates = stacks(
        {},
        Resources={"Table": {"Type": "AWS::DynamoDB::GlobalTable"}},
        Outputs={"Out": {"Value": {"Ref": "Table"}, "Export": {"Name": "x"}}},
    )
    found = templates.references("service", {"a": [{"Fn::ImportValue": "x"}]})
    assert list(found) == [Address("data", "Table")]


@pytest.mark.parametrize(
    ("resource", "name", "kind"),
    [
        (
            "arn:aws:secretsmanager:eu-central-1:000000000000:secret:ledger-dev/hooks/*",
            "hooks/*",
            "secrets",
        ),
        ("*", "*", "anything"),
    ],
)
def test_what_is_granted_by_a_pattern_has_a_box_of_its_own(
    resource: str, name: str, kind: str
) -> None:
    """Named without account, Region and stage, so that every stage has the same picture."""
    model = granting("secretsmanager:GetSecretValue", resource)
    node = model.nodes[Address("service", name)]
    assert (node.kind, node.parts) == (kind, ())
    [arrow] = model.arrows
    assert (arrow.source, arrow.verb) == (node.address, Verb.READS)


def test_a_denial_is_no_arrow() -> None:
    """Only what is allowed is shown."""
    model = granting("sqs:SendMessage", "*", effect="Deny")
    assert model.arrows == ()
    assert list(model.nodes) == [Address("service", "Function")]


def granting(action: str, resource: str, effect: str = "Allow") -> Model:
    """A function whose role has one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return model_of(
        stacks(
            {
                "Function": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}},
                },
                "Role": {"Type": "AWS::IAM::Role"},
                "Policy": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {
                        "Roles": [{"Ref": "Role"}],
                        "PolicyDocument": {"Statement": [statement]},
                    },
                },
            }
        )
    )
