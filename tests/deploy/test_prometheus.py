"""The example for Prometheus: promtool takes it, each alert fires when it should and says where to read on.

Method: what promtool does not know is read from the files line by line; they are written in one way.
"""

import re
import subprocess
from pathlib import Path

import pytest

from llum.metrics.declared import METRICS
from tests.programs import need

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
ALERTS = (FOLDER / "alerts.yml").read_text()
PAGE = ROOT / "docs" / "how-to" / "watch-llum-with-prometheus.md"

NAMES = re.findall(r"- alert: (\w+)", ALERTS)


def headings(page: str) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them of one word."""
    return {heading.lower() for heading in re.findall(r"^#+ (\w+)$", page, re.MULTILINE)}


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    """Neither in the configuration, nor in the alerts, nor with when they fire."""
    done = subprocess.run([need("promtool"), *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_told_apart_and_tested() -> None:
    """There is a case in which it fires, and one in which it does not."""
    cases = (FOLDER / "alerts_test.yml").read_text()
    assert len(NAMES) == len(set(NAMES)) >= 8
    assert [name for name in NAMES if f"- name: {name} fires" not in cases] == []
    assert [name for name in NAMES if f"- name: {name} keeps quiet" not in cases] == []


def test_each_alert_says_what_is_wrong_and_links_to_what_to_do() -> None:
    """To a heading of the page that is there."""
    links = re.findall(r"runbook_url: \S+/docs/how-to/([\w-]+\.md)#(\w+)", ALERTS)
    assert links == [(PAGE.name, name.lower()) for name in NAMES]
    assert {anchor for _, anchor in links} <= headings(PAGE.read_text())
    assert ALERTS.count("summary: ") == len(NAMES)


def test_alerts_look_at_metrics_that_there_are() -> None:
    """A metric that is renamed is renamed there too, else its alert would never fire again."""
    expressions = re.sub(r"(summary|runbook_url): .*|#.*", "", ALERTS)
    named = set(re.findall(r"\bllum_\w+", expressions))
    assert named
    assert named <= METRICS.keys()
