"""docs/operations.md says of every alarm what happened and what to do."""

import re
from pathlib import Path

from tests.template.templates import Templates

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def test_every_alarm_is_explained_and_no_other(templates: Templates) -> None:
    """Each alarm has its line in the table, by its name or by what the name ends with (`…`), and
    each line has its alarms."""
    table = PAGE.read_text(encoding="utf-8").partition("## When an alarm rings")[2]
    lines = re.findall(r"^\| (`.+?) \|", table.partition("\n## ")[0], re.MULTILINE)
    named = {name for line in lines for name in re.findall(r"`([^`]+)`", line)}
    patterns = {name: re.compile(re.escape(name).replace("…", ".*")) for name in named}
    alarms = set(templates.named("AWS::CloudWatch::Alarm"))
    explained = {
        name: {alarm for alarm in alarms if pattern.fullmatch(alarm)}
        for name, pattern in patterns.items()
    }
    assert alarms - set().union(*explained.values()) == set()
    assert {name for name, found in explained.items() if not found} == set()
