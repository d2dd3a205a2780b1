"""Configuration from the environment, read once, refused as a whole when anything is missing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    _S = TypeVar("_S", bound=DataclassInstance)


class SettingsError(Exception):
    """Environment variables are missing or empty, or are no number where one is asked for; `names`
    has every one of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__(f"missing, empty or wrong environment variables: {', '.join(names)}")


def environment(*names: str, source: Mapping[str, str] | None = None) -> dict[str, str]:
    """The values of required environment variables by name. Raises SettingsError, naming all."""
    variables = os.environ if source is None else source
    values = {name: variables.get(name, "").strip() for name in names}
    missing = tuple(name for name, value in values.items() if not value)
    if missing:
        raise SettingsError(missing)
    return values


def read_settings(settings: type[_S], source: Mapping[str, str] | None = None) -> _S:
    """A dataclass of strings, each field `some_name` read from the variable `SOME_NAME`.

    Raises SettingsError, naming every variable that is missing or empty.
    """
    names = [field.name for field in fields(settings)]
    values = environment(*(name.upper() for name in names), source=source)
    return settings(**{name: values[name.upper()] for name in names})


def read_number(name: str, *, source: Mapping[str, str]) -> int:
    """A whole number, 0 or more; 0 if the variable is missing. Raises SettingsError, naming it."""
    value = source.get(name, "").strip() or "0"
    if not value.isdecimal():
        raise SettingsError((name,))
    return int(value)
