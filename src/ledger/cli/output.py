"""What the command prints: results on standard output, all else on standard error.

With `--json` standard output has exactly one JSON value, a result or a problem, and nothing else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from rich.console import Console, Group, JustifyMethod
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from ledger.contracts.currencies import MINOR_DIGITS, decimal_text

Shown = Table | Text | str
"""Something for people to read."""

LINE_SECONDS: Final = 10.0  # between two lines of progress
_COLUMNS: Final = 160  # where the output is no terminal


class Output:
    """One verb's output, for people or (`as_json`) for programs."""

    def __init__(
        self, *, as_json: bool, result: Console | None = None, notes: Console | None = None
    ) -> None:
        self.as_json = as_json
        self._result = result or _console(stderr=False)
        self._notes = notes or _console(stderr=True)

    def result(self, value: Mapping[str, Any], *shown: Shown) -> None:
        """The result: `value` as JSON, or what is `shown` for people."""
        if self.as_json:
            self._result.out(json.dumps(value, ensure_ascii=False), highlight=False)
        else:
            self.show(*shown)

    def document(self, text: str) -> None:
        """A whole document, to the letter, on standard output."""
        self._result.file.write(text)

    def line(self, text: str) -> None:
        """One line on standard output, to the letter and at once: of a result that has no end."""
        self._result.file.write(f"{text}\n")
        self._result.file.flush()

    def show(self, *shown: Shown) -> None:
        """Something for people to read; nothing with --json."""
        if not self.as_json:
            for each in shown:
                # A string is data of the ledger's: neither markup nor wrapped.
                self._result.print(each, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line on what is going on, on standard error."""
        self._notes.print(text, markup=False, highlight=False, soft_wrap=True)

    def failure(self, problem: Mapping[str, Any], lines: Iterable[tuple[str, str]]) -> None:
        """Why it failed: the problem as JSON, or one block with its title, its reason and `lines`,
        each with its name."""
        if self.as_json:
            self._result.out(json.dumps(problem, ensure_ascii=False), highlight=False)
            return
        block = Group(Text(str(problem.get("title", ""))), fields(lines))
        title = Text(str(problem["reason"]))
        self._notes.print(Panel(block, title=title, title_align="left", border_style="red"))

    @contextmanager
    def bar(self, text: str, total: int | None = None) -> Iterator[Bar]:
        """Progress on standard error: a bar, or where that is no terminal a line now and then."""
        if not self._notes.is_terminal:
            bar = Bar(lambda done, of: self.note(_counted(text, done, of)), total, LINE_SECONDS)
            self.note(f"{text} …")
            yield bar
            if bar.shown != bar.done:
                self.note(_counted(text, bar.done, bar.total))
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self._notes) as progress:
            task = progress.add_task(text, total=total)
            yield Bar(lambda done, of: progress.update(task, completed=done, total=of), total, 0.0)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Something that takes its time and cannot tell how much, on standard error."""
        if not self._notes.is_terminal:
            self.note(f"{text} …")
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._notes, transient=True) as progress:
            progress.add_task(text, total=None)
            yield


class Bar:
    """How much of something is done. Safe to move from several threads."""

    def __init__(
        self, show: Callable[[int, int | None], None], total: int | None, every_seconds: float
    ) -> None:
        self.done = 0
        self.shown = -1
        self.total = total
        self._show = show
        self._every_seconds = every_seconds
        self._shown_at = time.monotonic()
        self._lock = Lock()

    def advance(self, count: int) -> None:
        """So many more are done."""
        with self._lock:
            self.done += count
            self._show_now_and_then()

    def at(self, done: int, total: int) -> None:
        """So many are done, of so many."""
        with self._lock:
            self.done, self.total = done, total
            self._show_now_and_then()

    def _show_now_and_then(self) -> None:
        if time.monotonic() - self._shown_at >= self._every_seconds:
            self._shown_at = time.monotonic()
            self.shown = self.done
            self._show(self.done, self.total)


def money(amount_minor: int, currency: str) -> str:
    """An amount as people write it, with its currency: `12.50 EUR`."""
    if currency not in MINOR_DIGITS:
        return f"{amount_minor} {currency}"
    return f"{decimal_text(amount_minor, currency)} {currency}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: str = "") -> Table:
    """A plain table; the columns named in `right` (blank-separated) are aligned right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # Folded, not cut: an id that is not whole is of no use.
        side: JustifyMethod = "right" if column in right.split() else "left"
        made.add_column(column, justify=side, overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def fields(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and values, one pair a line."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(Text(name), Text(value))
    return made


def _counted(text: str, done: int, total: int | None) -> str:
    return f"{text}: {done:,}" if total is None else f"{text}: {done:,} of {total:,}"


def _console(*, stderr: bool) -> Console:
    # No emoji: to rich the middle of an id as `berka:bank:cash` is one.
    console = Console(stderr=stderr, emoji=False)
    # What is no terminal is 80 columns wide to rich, which folds ids.
    return console if console.is_terminal else Console(stderr=stderr, width=_COLUMNS, emoji=False)
