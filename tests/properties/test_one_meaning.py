"""One meaning: the REST edge (pydantic) and the queue path (msgspec) read every body alike.

If one of them took what the other refuses, or took it as something else, the same payment would do
different things by different doors.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from ledger.contracts import violations
from ledger.contracts.commands import (
    CLIENT_COMMANDS,
    COMMAND_TYPES,
    Command,
    decode_command,
    encode_command,
)
from ledger.contracts.reasons import MALFORMED_JSON, InvalidCommandError
from ledger.entrypoints.api.models import faults_of
from ledger.entrypoints.api.reading import read_command
from tests.properties.command_bodies import (
    DOCUMENTS,
    ODD_NAMES,
    ODD_VALUES,
    Document,
    Path,
    Twice,
    body_of,
    damaged,
    documents,
    inner_objects,
    json_values,
    mutated,
    places,
    value_at,
    with_value,
    without,
)
from tests.properties.whole_commands import WHOLE

TYPES = tuple(sorted(CLIENT_COMMANDS))
TEMPLATES = tuple(WHOLE[name] for name in TYPES)
Faults = list[tuple[str, str]]
Verdict = Command | Faults


def fields_in(kind: inspect.Type, path: str = "") -> Iterator[tuple[str, str]]:
    """The path of every field in objects of that type, and of the object that it is in."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                inner = f"{path}.{field.name}".removeprefix(".")
                yield inner, path
                yield from fields_in(field.type, inner)
        case inspect.UnionType(types=kinds):
            for one in kinds:
                yield from fields_in(one, path)
        case inspect.VarTupleType(item_type=item):
            yield from fields_in(item, f"{path}[0]")
        case inspect.Metadata(type=inner):
            yield from fields_in(inner, path)


def test_every_command_of_a_client_is_tried_with_every_field() -> None:
    """None is left out of what follows."""
    assert tuple(sorted(WHOLE)) == tuple(sorted(DOCUMENTS)) == TYPES
    for name, document in WHOLE.items():
        assert set(document) == {"type", *COMMAND_TYPES[name].__struct_fields__}, name
        assert not isinstance(by_queue(body_of(document)), list), name


@pytest.mark.parametrize("command_type", COMMAND_TYPES)
def test_every_field_has_a_reason_and_every_object_is_known(command_type: str) -> None:
    """A fault in any field is said to be more than malformed JSON, and an unknown field is looked
    for wherever an object can be."""
    for field, holder in fields_in(inspect.type_info(COMMAND_TYPES[command_type])):
        assert violations.reason_of(field) is not MALFORMED_JSON, field
        names = set(holder.replace("[0]", "").split(".")) - {""}
        assert names <= set(violations.OBJECTS), holder


def by_queue(body: bytes) -> Verdict:
    """What the queue path makes of `body`."""
    try:
        return decode_command(body)
    except InvalidCommandError as error:
        return [(violation.reason.code, violation.field) for violation in error.violations]


def by_edge(body: bytes, command_type: str) -> Verdict:
    """What the REST edge makes of `body`, on the route of that type."""
    try:
        return read_command(body, (command_type,))
    except InvalidCommandError as error:
        return [(violation.reason.code, violation.field) for violation in error.violations]


def assert_same_verdict(body: bytes, command_type: str) -> tuple[Verdict, Verdict]:
    queue, edge = by_queue(body), by_edge(body, command_type)
    if isinstance(queue, list) or isinstance(edge, list):
        assert isinstance(queue, list), f"only the edge refuses: {edge}"
        assert isinstance(edge, list), f"only the queue refuses: {queue}"
        assert queue, "a refusal names what is wrong"
        assert edge
    else:
        assert queue == edge
        assert encode_command(queue) == encode_command(edge)
    return queue, edge


def assert_same_fault(document: object, command_type: str) -> None:
    """Both accept with equal commands, or both name the same one fault."""
    queue, edge = assert_same_verdict(body_of(document), command_type)
    assert queue == edge


@given(documents)
def test_every_valid_command_is_accepted_by_both_as_the_same(document: Document) -> None:
    """Whatever the contract allows is accepted, with equal, normalised commands."""
    queue, edge = assert_same_verdict(body_of(document), document["type"])
    assert not isinstance(queue, list), queue
    assert queue == edge


@given(documents)
def test_normalising_is_idempotent(document: Document) -> None:
    """A command that was read and written again is read as itself, by both."""
    command = decode_command(body_of(document))
    again = encode_command(command)
    assert by_queue(again) == command
    assert by_edge(again, document["type"]) == command


@pytest.mark.parametrize("document", TEMPLATES, ids=lambda document: document["type"])
def test_every_odd_value_in_every_field_has_one_verdict(document: Document) -> None:
    """Each odd value in each place: accepted alike, or refused for the same reason and field."""
    for path in places(document):
        for value in ODD_VALUES:
            assert_one_fault_is_the_same(document, path, value)


def assert_one_fault_is_the_same(document: Document, path: Path, value: object) -> None:
    """One odd value in a valid command: both doors say the same about it, or, if it is wrong in
    several ways, the edge says all of them and the queue one."""
    queue, edge = assert_same_verdict(body_of(with_value(document, path, value)), document["type"])
    if not isinstance(queue, list) or not isinstance(edge, list):
        return
    if path == ("type",) and value in TYPES:
        assert edge == [("unsupported_type", "type")]  # another route's
    elif _can_be_several_faults(path, value):
        assert is_among(queue[0], edge), (path, value)
    else:
        assert queue == edge, (path, value)


def is_among(fault: tuple[str, str], named: Faults) -> bool:
    """Whether `fault` is named, or lies in a list that is: of one too long nothing else is said."""
    return fault in named or any(fault[1].startswith(f"{field}[") for _, field in named)


def _can_be_several_faults(path: Path, value: object) -> bool:
    """Whether `value` at `path` may be wrong in more than one way: an object that is not of the
    kind wanted there, or a type which is not that of the fields beside it."""
    values = value if isinstance(value, tuple) else (value,)
    return any(isinstance(one, dict) for one in values) or path[-1] == "type"


@given(documents)
def test_a_model_finds_no_fault_in_a_valid_command(document: Document) -> None:
    """What is accepted is of the shape that the models describe: they refuse nothing more."""
    assert faults_of(document, document["type"]) == ()


@settings(max_examples=300)
@given(mutated())
def test_a_model_finds_every_fault_of_shape(document: Document) -> None:
    """What msgspec refuses for its shape has at least one fault by the model: it takes no more."""
    for command_type in TYPES:
        body = body_of(document | {"type": command_type, "v": 1})
        queue = by_queue(body)
        if isinstance(queue, list) and queue != [("malformed_json", "")]:
            edge = by_edge(body, command_type)
            assert isinstance(edge, list)
            assert is_among(queue[0], edge) or "unknown_field" in dict(edge), (queue, edge)


@pytest.mark.parametrize("document", TEMPLATES, ids=lambda document: document["type"])
def test_no_text_may_end_in_a_line_end(document: Document) -> None:
    """A pattern's `$` holds before a final newline too; no field of any command takes one."""
    for path in places(document):
        text = value_at(document, path)
        if isinstance(text, str):
            changed = with_value(document, path, f"{text}\n")
            queue, edge = assert_same_verdict(body_of(changed), document["type"])
            assert isinstance(queue, list)
            assert queue == edge, path


@pytest.mark.parametrize("document", TEMPLATES, ids=lambda document: document["type"])
def test_every_missing_field_has_one_verdict(document: Document) -> None:
    """Each field left out: accepted alike, or `missing_field` at the same place."""
    for path in places(document):
        if not isinstance(path[-1], int):
            assert_same_fault(without(document, path), document["type"])


@pytest.mark.parametrize("document", TEMPLATES, ids=lambda document: document["type"])
def test_every_unknown_field_has_one_verdict(document: Document) -> None:
    """Each odd name in each object is `unknown_field`, shown or masked alike, at the same place."""
    objects = [parent for parent, _ in inner_objects(document)]
    for parent in ((), *objects):
        for name in ODD_NAMES:
            changed = with_value(document, (*parent, name), 1)
            queue, edge = assert_same_verdict(body_of(changed), document["type"])
            assert isinstance(queue, list)
            assert queue[0][0] == "unknown_field"
            if "at `$.postings[0]" not in name:  # msgspec's message does not tell these apart
                assert queue == edge, name


@pytest.mark.parametrize("document", TEMPLATES, ids=lambda document: document["type"])
def test_every_repeated_name_has_one_verdict(document: Document) -> None:
    """A name that stands twice in its object makes a body malformed, even with equal values."""
    for path in places(document):
        if isinstance(path[-1], int):
            continue
        changed = with_value(document, path, Twice(value_at(document, path)))
        queue, edge = assert_same_verdict(body_of(changed), document["type"])
        assert queue == edge == [("malformed_json", "")]


@given(documents, st.data())
def test_a_single_fault_has_one_reason_and_field(document: Document, data: st.DataObject) -> None:
    """One odd value in any valid command: both doors say the same about it."""
    path = data.draw(st.sampled_from(places(document)))
    assert_one_fault_is_the_same(document, path, data.draw(st.sampled_from(ODD_VALUES)))


@settings(max_examples=300)
@given(mutated())
def test_several_faults_have_one_verdict(document: Document) -> None:
    """However many faults: refused by both or by neither, and the one that the queue path names is
    among those that the edge names."""
    command_type = document.get("type")
    if command_type not in TYPES:
        command_type = "payment.post"
    queue, edge = assert_same_verdict(body_of(document), command_type)
    if isinstance(queue, list) and isinstance(edge, list):
        assert is_among(queue[0], edge) or "unknown_field" in dict(edge)


@given(json_values)
def test_any_json_has_one_verdict(value: object) -> None:
    """Any JSON at all: no exception but the refusal, and the same one from both."""
    for command_type in TYPES:
        assert_same_verdict(body_of(value), command_type)


@settings(max_examples=300)
@given(damaged())
@example(b"")
@example(b"\xff")
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 60_000)
@example(b'{"type":"payment.post","v":1,"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}")
@example(b'{"type":"payment.post","v":1,"x":' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001)
@example(b"{}" + b" " * 65_535)
def test_damaged_bodies_have_one_verdict(body: bytes) -> None:
    """Bytes cut out, put in or replaced, however deep or long: no exception but the refusal."""
    for command_type in TYPES:
        if isinstance(by_edge(body, command_type), list):
            continue
        assert_same_verdict(body, command_type)
    queue = by_queue(body)
    if not isinstance(queue, list):
        assert queue in [by_edge(body, command_type) for command_type in TYPES]


@given(documents, st.sampled_from(TYPES))
def test_a_route_takes_its_own_type_only(document: Document, command_type: str) -> None:
    """A command on the other's route is refused for its type, whatever else it is."""
    verdict = by_edge(body_of(document), command_type)
    if document["type"] == command_type:
        assert not isinstance(verdict, list)
    else:
        assert verdict == [("unsupported_type", "type")]
