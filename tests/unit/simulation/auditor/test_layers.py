"""What is tried out on a layer is as if nothing had been, until it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.auditor.model.layers import Layer, glance

Lists = dict[str, list[int]]
names = st.sampled_from("abcd")


def test_what_is_looked_up_may_be_changed_in_place() -> None:
    """Below it is as it was."""
    below: Lists = {"a": [1]}
    layer = Layer(below, list)
    layer["a"].append(2)
    layer["b"] = [3]
    assert below == {"a": [1]}
    assert dict(layer) == {"a": [1, 2], "b": [3]}
    assert dict(glance(layer)) == dict(layer)
    assert (len(layer), "b" in layer, "c" in layer) == (2, True, False)
    layer.keep()
    assert below == {"a": [1, 2], "b": [3]}


def test_what_is_glanced_at_is_not_copied() -> None:
    """It may be large."""
    copies: list[list[int]] = []

    def copied(one: list[int]) -> list[int]:
        copies.append(one)
        return list(one)

    layer = Layer({"a": [1]}, copied)
    assert dict(glance(layer)) == {"a": [1]}
    assert "a" in layer
    assert copies == []


def test_nothing_is_ever_forgotten() -> None:
    """A ledger does not."""
    layer = Layer({"a": [1]}, list)
    with pytest.raises(TypeError):
        del layer["a"]


@given(
    before=st.dictionaries(names, st.lists(st.integers(), max_size=2)),
    steps=st.lists(st.tuples(names, st.integers(), st.booleans()), max_size=8),
)
def test_a_layer_is_a_copy(before: Lists, steps: list[tuple[str, int, bool]]) -> None:
    """Of layers upon layers, too."""
    copy = {name: list(one) for name, one in before.items()}
    below = {name: list(one) for name, one in before.items()}
    layer = Layer(Layer(below, list), list)
    for name, number, new in steps:
        for one in (copy, layer):
            if new or name not in one:
                one[name] = [number]
            else:
                one[name].append(number)
    assert dict(layer) == copy
    assert below == before
