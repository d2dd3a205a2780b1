"""What the emulator lacks is taken out of a template, and nothing else."""

import copy
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.template import LeftOut, without_unsupported

ARCHIVE = {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": {"Ref": "Bus"}}}
BUS = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "ledger"}}
UNSUPPORTED = {"AWS::Events::Archive": "refused"}


def template(resources: dict[str, Any], **sections: object) -> dict[str, Any]:
    return {"Resources": {"Bus": BUS, "Archive": ARCHIVE, **resources}, **sections}


def test_unsupported_leaf_is_removed_and_reported() -> None:
    """The rest of the template is what was synthesised."""
    given = template({}, Parameters={"P": {"Type": "String"}})

    kept, left_out = without_unsupported(given, UNSUPPORTED)

    assert kept == {"Resources": {"Bus": BUS}, "Parameters": {"P": {"Type": "String"}}}
    assert left_out == (
        LeftOut(type="AWS::Events::Archive", logical_id="Archive", reason="refused"),
    )


def test_given_template_is_not_changed() -> None:
    """The synthesised template stays what it was, dependencies included."""
    given = template({"Rule": {"Type": "AWS::Events::Rule", "DependsOn": ["Archive", "Bus"]}})
    before = copy.deepcopy(given)

    without_unsupported(given, UNSUPPORTED)

    assert given == before


def test_template_without_unsupported_types_is_kept_whole() -> None:
    """Nothing listed, nothing left out."""
    given = template({})

    assert without_unsupported(given, {}) == (given, ())


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("Archive", None),
        (["Archive"], None),
        (["Archive", "Bus"], ["Bus"]),
        ("Bus", ["Bus"]),
    ],
)
def test_dependencies_on_what_is_removed_go_with_it(
    stated: str | list[str], kept: list[str] | None
) -> None:
    """`DependsOn` orders creation and says nothing else, so it may be dropped."""
    given = template({"Rule": {"Type": "AWS::Events::Rule", "DependsOn": stated}})

    result, _ = without_unsupported(given, UNSUPPORTED)

    assert result["Resources"]["Rule"].get("DependsOn") == kept


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Archive"},
        {"Fn::GetAtt": ["Archive", "Arn"]},
        {"Fn::GetAtt": "Archive.Arn"},
        {"Fn::Sub": "archive of ${Archive.Arn}"},
        {"Fn::Sub": ["${Archive}${name}", {"name": "x"}]},
        {"Fn::Sub": ["${name}", {"name": {"Ref": "Archive"}}]},
        {"Fn::Join": ["/", ["a", {"Ref": "Archive"}]]},
    ],
)
def test_any_other_reference_refuses_the_removal(reference: dict[str, object]) -> None:
    """Only leaves can be left out: the error names the place and the resource."""
    given = template({"Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": reference}}})

    with pytest.raises(SandboxError, match=r"Resources\.Rule\.Properties\.Name.* Archive, "):
        without_unsupported(given, UNSUPPORTED)


def test_output_of_what_is_removed_refuses_the_removal() -> None:
    """An output is a reference like any other."""
    given = template({}, Outputs={"ArchiveName": {"Value": {"Ref": "Archive"}}})

    with pytest.raises(SandboxError, match=r"Outputs\.ArchiveName\.Value"):
        without_unsupported(given, UNSUPPORTED)


@pytest.mark.parametrize(
    "text",
    [
        {"Fn::Sub": "${!Archive} ${AWS::Region}"},
        {"Fn::Sub": ["${Archive}", {"Archive": "a name of its own"}]},
        "Archive",
    ],
)
def test_what_only_looks_like_a_reference_is_none(text: object) -> None:
    """Escaped placeholders, variables of a substitution and plain text name no resource."""
    given = template({"Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": text}}})

    kept, _ = without_unsupported(given, UNSUPPORTED)

    assert kept["Resources"]["Rule"]["Properties"]["Name"] == text
