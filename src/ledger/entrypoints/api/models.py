"""What is wrong with the shape of a command, all of it: pydantic models made from the Structs.

msgspec reads every command, here as on the queues, and stops at the first fault it meets. A person
who mends a request wants them all. So a body that msgspec refused is held against a pydantic model
of its Struct, which is made when it is first needed: who sends no fault waits for no pydantic.

The models mean what msgspec means by a Struct, nothing more: what a schema cannot say is for
`contracts.commands.checked`. A property holds the two together (`tests/properties/
test_one_meaning.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from types import GenericAlias
from typing import Annotated, Any, Final, Literal

from msgspec import inspect
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    WrapValidator,
    create_model,
)
from pydantic_core import PydanticCustomError

from ledger.contracts import reasons
from ledger.contracts.commands import COMMAND_TYPES
from ledger.contracts.reasons import Violation
from ledger.contracts.violations import reason_of, shown_name

#: Closed; values hidden in errors, as no value of a client's may reach a log; patterns as msgspec
#: reads them, which is Python's way; and any name may be a field's.
_CONFIG: Final = ConfigDict(
    extra="forbid", hide_input_in_errors=True, regex_engine="python-re", protected_namespaces=()
)
#: The member that says which of several Structs an object is.
_TAG: Final = "type"

Location = tuple[str | int, ...]


def faults_of(document: object, command_type: str) -> tuple[Violation, ...]:
    """Every fault in the shape of `document`, which should be a command of that type: its JSON,
    read. Empty if its shape is right."""
    try:
        model_of(command_type).model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        violations = (_violation(item["type"], item["loc"]) for item in found)
        return tuple(dict.fromkeys(violations))
    return ()


@cache
def model_of(command_type: str) -> type[BaseModel]:
    """The model of that type of command."""
    return _model(inspect.type_info(COMMAND_TYPES[command_type]))


def _model(struct: inspect.Type) -> type[BaseModel]:
    assert isinstance(struct, inspect.StructType)
    fields: dict[str, Any] = {
        field.encode_name: (_annotation(field.type), ... if field.required else None)
        for field in struct.fields
    }
    if struct.tag is not None:
        fields[_TAG] = (Literal[struct.tag], ...)
    return create_model(struct.cls.__name__, __config__=_CONFIG, **fields)


def _annotation(kind: inspect.Type) -> Any:
    """What pydantic calls the type that msgspec calls `kind`.

    Raises TypeError for one that no command has had yet.
    """
    match kind:
        case inspect.Metadata(type=inner):
            return _annotation(inner)
        case inspect.StructType():
            return _model(kind)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            items = GenericAlias(list, (_annotation(item),))
            return Annotated[items, Field(min_length=least, max_length=most)]
        case inspect.DictType():
            return _mapping(kind)
        case inspect.UnionType(types=kinds):
            return _union(kinds)
    return _scalar(kind)


def _scalar(kind: inspect.Type) -> Any:
    match kind:
        case inspect.NoneType():
            return None
        case inspect.BoolType():
            return StrictBool
        case inspect.IntType(ge=lowest, le=highest):
            return Annotated[StrictInt, Field(ge=lowest, le=highest)]
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            return Annotated[StrictStr, Field(min_length=least, max_length=most, pattern=pattern)]
        case inspect.LiteralType(values=values):
            return Literal[values]
    raise TypeError(f"no command has a field of {type(kind).__name__}")


def _mapping(kind: inspect.DictType) -> Any:
    """An object of the client's own names, which are text of the client's that no error shows: a
    fault in it is one of the whole."""
    members = GenericAlias(dict, (_annotation(kind.key_type), _annotation(kind.value_type)))
    bounded = Field(min_length=kind.min_length, max_length=kind.max_length)
    return Annotated[members, bounded, WrapValidator(_as_a_whole)]


def _union(kinds: tuple[inspect.Type, ...]) -> Any:
    union: Any = reduce(or_, map(_annotation, kinds))
    if all(isinstance(kind, inspect.StructType) for kind in kinds):
        return Annotated[union, Field(discriminator=_TAG)]
    # What one of the kinds has against a value is of no interest if another might have taken it.
    return Annotated[union, WrapValidator(_as_a_whole)]


def _as_a_whole(value: object, validate: Callable[[object], object]) -> object:
    try:
        return validate(value)
    except ValidationError:
        raise PydanticCustomError("whole", "invalid") from None


def _violation(kind: str, location: Location) -> Violation:
    if kind == "extra_forbidden":
        *parents, name = location
        return Violation(reasons.UNKNOWN_FIELD, _path((*parents, shown_name(str(name)))))
    if kind == "missing":
        return Violation(reasons.MISSING_FIELD, _path(location))
    if kind == "union_tag_not_found":
        return Violation(reasons.MISSING_FIELD, _path((*location, _TAG)))
    if kind == "union_tag_invalid":
        location = (*location, _TAG)
    field = _path(location)
    return Violation(reason_of(field), field)


def _path(location: Location) -> str:
    """A path as `postings[0].amount_minor`. Of one of several Structs pydantic names the tag behind
    the index, which is no part of the path."""
    path, behind_index = "", False
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not (behind_index and step in COMMAND_TYPES):
            path += f".{step}"
        behind_index = isinstance(step, int)
    return path.removeprefix(".")
