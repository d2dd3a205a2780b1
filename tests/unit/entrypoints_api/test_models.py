"""The models that name every fault of shape, made from the Structs."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec import inspect

from ledger.contracts.commands import COMMAND_TYPES
from ledger.entrypoints.api import models
from ledger.entrypoints.api.models import faults_of, model_of
from tests.properties.whole_commands import WHOLE


@pytest.mark.parametrize("command_type", COMMAND_TYPES)
def test_every_command_has_a_model_with_its_fields(command_type: str) -> None:
    """Made once, with the fields of its Struct and its type, closed, hiding what it was given."""
    model = model_of(command_type)
    assert model is model_of(command_type)
    struct = COMMAND_TYPES[command_type]
    assert set(model.model_fields) == {"type", *struct.__struct_fields__}
    assert {name for name, field in model.model_fields.items() if field.is_required()} == {
        "type",
        *(field.encode_name for field in inspect.type_info(struct).fields if field.required),  # type: ignore[attr-defined]
    }
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["hide_input_in_errors"] is True


@pytest.mark.parametrize("document", WHOLE.values(), ids=WHOLE)
def test_a_whole_command_has_no_fault(document: dict[str, object]) -> None:
    """With every field that it can have."""
    assert faults_of(document, str(document["type"])) == ()


def test_a_fault_in_an_object_of_the_clients_own_names_is_one_of_the_whole() -> None:
    """However many there are in it: its names are shown in no error."""
    document = WHOLE["payment.post"] | {"metadata": {"4111111111111111": 5, "UPPER": None}}
    assert [(one.reason.code, one.field) for one in faults_of(document, "payment.post")] == [
        ("invalid_metadata", "metadata")
    ]


def test_a_value_of_several_kinds_has_one_fault() -> None:
    """Not one for each kind that it is not of."""
    document = WHOLE["template.define"] | {
        "postings": [
            posting | {"amount": {"of": "amount", "bps": None}}
            for posting in WHOLE["template.define"]["postings"]
        ]
    }
    assert [(one.reason.code, one.field) for one in faults_of(document, "template.define")] == [
        ("invalid_template", "postings[0].amount.bps"),
        ("invalid_template", "postings[1].amount.bps"),
    ]


def test_a_type_that_no_command_has_is_not_guessed_at() -> None:
    """A field of a new kind is a decision: the first use of its command would fail, and a test."""
    with pytest.raises(TypeError, match="DateTimeType"):
        models._annotation(inspect.type_info(dt.datetime))  # noqa: SLF001 - it has no command
