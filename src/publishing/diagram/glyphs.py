"""Small drawings of what kinds of resources are, 20 by 20, as strokes; and their colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SIZE: Final = 20

_LOCK: Final = "M5 9h10v6.5H5zM7 9V7a3 3 0 0 1 6 0v2"
_CYLINDER: Final = (
    "M4.5 6c0-2.2 11-2.2 11 0v8c0 2.2-11 2.2-11 0zM4.5 6c0 2.2 11 2.2 11 0M4.5 10c0 2.2 11 2.2 11 0"
)
_DOTS: Final = "M5.5 10h.1M10 10h.1M14.5 10h.1"
#: By kind: the strokes, and the family that gives the colour.
_GLYPHS: Final[Mapping[str, tuple[str, str]]] = {
    "REST API": ("M6.5 6 3 10l3.5 4M13.5 6 17 10l-3.5 4M11.2 5 8.8 15", "edge"),
    "alarms": (
        "M5 13h10c-1.5-1.5-1.3-3-1.5-5a3.5 3.5 0 0 0-7 0c-.2 2 0 3.5-1.5 5zM9 15.6h2",
        "eye",
    ),
    "archive": ("M4 5h12v3.2H4zM5 8.2V15h10V8.2M8.3 11h3.4", "bus"),
    "bucket": ("M4 5h12l-1.6 10.4H5.6zM4.6 8.6h10.8", "store"),
    "dashboard": ("M4 15.5V10M8 15.5V5M12 15.5V11M16 15.5V7", "eye"),
    "dead letters": ("M4 6h12v8.6H4zM4 6.4l6 4.4 6-4.4", "dead"),
    "event bus": ("M3 10h14M6 10V5M14 10V5M10 10v5", "bus"),
    "function": ("M6 4.5h2.2l6 11M9.6 8.6 5.8 15.5", "function"),
    "queue": ("M4 6.5h12v7H4zM8 6.5v7M12 6.5v7", "queue"),
    "rule": ("M4 5h12l-4.6 5.6v4.6l-2.8-1.4v-3.2z", "bus"),
    "schedule": ("M10 3.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13M10 6.5V10l2.8 1.8", "bus"),
    "secret": (_LOCK, "store"),
    "secrets": (_LOCK, "store"),
    "table": (
        _CYLINDER,
        "store",
    ),
    "topic": ("M3.5 10H9M9 10l6.5-5M9 10h7.5M9 10l6.5 5", "queue"),
}
#: By family: the colour on a light page, and on a dark one.
COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "bus": ("#8250df", "#a371f7"),
    "dead": ("#cf222e", "#f85149"),
    "edge": ("#0f766e", "#2bb3a3"),
    "eye": ("#4d6b2f", "#5f8240"),
    "function": ("#c2570c", "#e8873a"),
    "other": ("#57606a", "#8b949e"),
    "queue": ("#b3307f", "#e275ad"),
    "store": ("#0969da", "#4c9bff"),
}


def glyph(kind: str) -> tuple[str, str]:
    """The strokes of a kind, and its family."""
    return _GLYPHS.get(kind, (_DOTS, "other"))
