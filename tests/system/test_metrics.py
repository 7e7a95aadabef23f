"""What Prometheus would read of a running llum.

Method: `llum up` with metrics on any free ports, which the logs name. What the text says is read with the parser of
prometheus_client, before and after somebody tells and asks.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser

from tests.system.harness import Llum, until

Values = dict[tuple[str, ...], float]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """A llum that tells how it does, in which Alice has told and asked, and asked for what is not there."""
    llum = Llum(tmp_path_factory.mktemp("watched"))
    llum.options = ("--metrics-port", "0")
    try:
        llum.start()
        llum.run("admin", "person", "add", "alice", "--first-name", "Alice")
        llum.run("tell", "alice", "Personal/firstname", '"Al"')
        llum.run("ask", "alice", "Personal/firstname")
        assert llum.command("ask", "alice", "Nowhere/x").returncode == 1
        yield llum
    finally:
        llum.clean_up()


def logged(file: Path, event: str) -> list[Any]:
    lines = map(json.loads, file.read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def url_of(llum: Llum, process: str) -> str:
    """Find where a process tells."""
    (line,) = logged(llum.data_dir / "log" / f"{process}.jsonl", "metrics_served")
    return f"http://{line['host']}:{line['port']}/metrics"


def text_of(llum: Llum, process: str) -> str:
    wanted = urllib.request.Request(url_of(llum, process), headers={"Accept": "application/openmetrics-text"})
    with urllib.request.urlopen(wanted, timeout=60) as answer:
        return str(answer.read().decode())


def values_of(llum: Llum, process: str) -> Values:
    """Give all that a process tells, by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text_of(llum, process))  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def of(values: Values, name: str) -> list[float]:
    return [value for (found, *_), value in values.items() if found == name]


def test_a_worker_tells_of_all_its_partitions(watched: Llum) -> None:
    """All are answered by it, as their primary, and nothing lags behind the log."""
    values = values_of(watched, "worker")
    assert of(values, "llum_partition_answers") == of(values, "llum_partition_primary") == [1] * 64
    assert of(values, "llum_partitions") == [64]
    assert of(values, "llum_partition_log_lag") == of(values, "llum_partition_lost") == [0] * 64
    assert values[("llum_bus_connected",)] == 1
    assert values[("llum_commits_fail",)] == 0
    assert values[("llum_active_models",)] == 1


def test_what_was_told_and_asked_is_counted(watched: Llum) -> None:
    """By what became of it, and each command in its partition."""
    values = values_of(watched, "worker")
    accepted = values[("llum_commands_total", "accepted")]
    assert accepted >= 2
    assert sum(of(values, "llum_partition_applied_commands_total")) >= accepted
    assert values[("llum_asks_total", "answered")] >= 1
    assert values[("llum_asks_total", "no_such_context")] >= 1
    assert values[("llum_ask_seconds_count",)] == sum(of(values, "llum_asks_total"))
    until(lambda: values_of(watched, "worker")[("llum_commit_commands_sum",)] >= accepted, "all is committed")


def test_an_edge_counts_requests_by_face(watched: Llum) -> None:
    """A page that is there, and one that is not: `/metrics`, which the public port does not have."""
    urllib.request.urlopen(f"{watched.http}/health", timeout=60).close()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{watched.http}/metrics", timeout=60)
    values = values_of(watched, "edge")
    assert values[("llum_http_requests_total", "http", "2xx")] == 1
    assert values[("llum_http_requests_total", "none", "4xx")] == 1
    assert values[("llum_http_request_seconds_count", "http")] == 1
    assert values[("llum_http_requests_total", "personis", "5xx")] == 0
    assert values[("llum_partitions",)] == 64


@pytest.mark.parametrize("process", ["worker", "edge"])
def test_nobody_is_named(watched: Llum, process: str) -> None:
    """Neither a person nor what they have said."""
    text = text_of(watched, process).lower()
    assert "alice" not in text
    assert "firstname" not in text


def test_without_the_setting_nothing_is_served(shared_llum: Llum) -> None:
    """Metrics are off by default."""
    for process in ("worker", "edge"):
        assert logged(shared_llum.data_dir / "log" / f"{process}.jsonl", "metrics_served") == []
