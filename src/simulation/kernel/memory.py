"""Memory while a world runs: it is looked through for garbage rarely."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: A run makes some ten million objects. Most that it keeps, it keeps to its end; nearly all others
#: go by themselves. Looking as often as Python does takes a tenth of its time.
_THRESHOLDS: Final = (100_000, 20, 100)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Looks for garbage rarely within, and not at all at what there was before."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
