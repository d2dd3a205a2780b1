"""XML of ISO 20022 into the classes made from its schemas, from files that nobody vouches for.

A document type declaration is refused where it begins, so that there are no entities to expand and
nothing to fetch. The size is bounded before the first byte is parsed.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any, Final, TypeVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from xsdata.exceptions import ConverterWarning, ParserError, XmlContextError
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import XmlEventHandler

from ledger.importers.faults import (
    DOCUMENT_TYPE_REFUSED,
    FILE_TOO_LARGE,
    INVALID_STRUCTURE,
    MALFORMED_XML,
    UNSUPPORTED_SCHEMA,
)
from ledger.importers.instructions import SourceError

BYTES_MAX: Final = 16 * 1024 * 1024  # some 50,000 transactions, which take 400 MB while read
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
_T = TypeVar("_T")
_ROOT: Final = re.compile(r"\{([^}]*)\}Document")
_UNKNOWN: Final = re.compile(r"Unknown property (?:\{[^}]*\})?(\w+):(?:\{[^}]*\})?(\w+)")


def root_of(path: Path) -> Element:
    """The root element of the file. Raises SourceError."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise SourceError(path, None, f"cannot be read: {error.strerror}") from error
    if len(content) > BYTES_MAX:
        why = f"is larger than {BYTES_MAX:,} bytes"
        raise SourceError(path, None, why, reason=FILE_TOO_LARGE)
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        why = "declares a document type or entities, which a message has no use for"
        raise SourceError(path, None, why, reason=DOCUMENT_TYPE_REFUSED) from None
    except ParseError as error:
        line, column = error.position
        why = f"is not well-formed XML at column {column + 1}"
        raise SourceError(path, line, why, reason=MALFORMED_XML) from error
    except (ValueError, LookupError) as error:
        why = f"is in an encoding that is not read: {error}"
        raise SourceError(path, None, why, reason=MALFORMED_XML) from error
    return root


def schema_of(path: Path, root: Element) -> str:
    """The name of the message's schema, such as `pain.001.001.09`. Raises SourceError."""
    match = _ROOT.fullmatch(root.tag)
    if match is None or not match.group(1).startswith(NAMESPACE):
        why = f"is no ISO 20022 message: its root must be Document in {NAMESPACE}…"
        raise SourceError(path, None, why, reason=UNSUPPORTED_SCHEMA)
    return match.group(1).removeprefix(NAMESPACE)


def bound(path: Path, root: Element, kind: type[Any]) -> Any:
    """`root` as an instance of `kind`. Values of a wrong type stay text, for `structure_faults`.

    `root` is used up. Raises SourceError for an element that the schema does not have there.
    """
    config = ParserConfig(fail_on_unknown_properties=True, class_factory=_made)
    parser = XmlParser(config=config, handler=XmlEventHandler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConverterWarning)
            return parser.parse(root, kind)
    except (ParserError, XmlContextError) as error:
        match = _UNKNOWN.search(str(error))
        why = (
            f"has an element {match.group(2)} where its schema has none (in a {match.group(1)})"
            if match
            else "is not as its schema says"
        )
        raise SourceError(path, None, why, reason=INVALID_STRUCTURE) from error
    except RecursionError:
        why = "is nested deeper than any message"
        raise SourceError(path, None, why, reason=INVALID_STRUCTURE) from None


def _made(kind: type[_T], values: dict[str, Any]) -> _T:
    """An instance whose required values may be None: that one is missing is told with all else."""
    return kind(**(_REQUIRED[kind] | values))


class _Required(dict[type[Any], dict[str, None]]):
    """By class, its fields without a default, each as None."""

    def __missing__(self, kind: type[Any]) -> dict[str, None]:
        missing = dataclasses.MISSING
        self[kind] = {
            field.name: None
            for field in dataclasses.fields(kind)
            if field.default is missing and field.default_factory is missing
        }
        return self[kind]


_REQUIRED: Final = _Required()
