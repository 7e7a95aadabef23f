"""What Prometheus reads: the text, on a port of its own."""

import asyncio
import contextlib
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from bus.spread import Spread
from llum.failures import Fault
from llum.metrics.serving import serving
from llum.metrics.values import MetricValue
from llum.settings import Settings
from tests.ports import free_port

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def some_values() -> list[MetricValue]:
    spread = Spread((0.1, 1))
    for value in (0.05, 0.5, 5):
        spread.note(value)
    return [
        MetricValue("llum_build_info", 1, ("1.2.3", "3.11")),
        MetricValue("llum_partition_log_lag", 7, ("0",)),
        MetricValue("llum_asks_total", 3, ("answered",)),
        MetricValue("llum_ask_seconds", spread),
        MetricValue("llum_partition_log_lag", 0, ("1",)),
    ]


async def read() -> list[MetricValue]:
    return some_values()


def free_port_after() -> int:
    """Give a port that is free, and so is the next one."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError, OverflowError), socket.create_server(("127.0.0.1", port + 1)):
            return port


def fetch(url: str, accept: str) -> tuple[str, str]:
    wanted = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(wanted, timeout=60) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    port = free_port()
    async with serving(Settings(data_dir=tmp_path, metrics_port=port), read):
        yield f"http://127.0.0.1:{port}/metrics"


async def test_all_samples_are_in_the_text(url: str) -> None:
    """Those of one metric stand together; a histogram counts up to each bound."""
    _, text = await asyncio.to_thread(fetch, url, "text/plain")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values[("llum_build_info", "3.11", "1.2.3")] == 1
    assert values[("llum_partition_log_lag", "0")] == 7
    assert values[("llum_partition_log_lag", "1")] == 0
    assert values[("llum_asks_total", "answered")] == 3
    assert values[("llum_ask_seconds_bucket", "0.1")] == 1
    assert values[("llum_ask_seconds_bucket", "1.0")] == 2
    assert values[("llum_ask_seconds_bucket", "+Inf")] == values[("llum_ask_seconds_count",)] == 3
    assert values[("llum_ask_seconds_sum",)] == pytest.approx(5.55)
    assert text.count("# TYPE llum_partition_log_lag") == 1


async def test_the_edge_of_an_up_takes_the_next_port(tmp_path: Path) -> None:
    """Two processes read the same setting."""
    port = free_port_after()
    async with (
        serving(Settings(data_dir=tmp_path, metrics_port=port), read),
        serving(Settings(data_dir=tmp_path, metrics_port=port), read, further=1),
    ):
        for each in (port, port + 1):
            _, text = await asyncio.to_thread(fetch, f"http://127.0.0.1:{each}/metrics", "text/plain")
            assert "llum_build_info" in text


async def test_openmetrics_is_spoken_to_who_asks_for_it(url: str) -> None:
    """As newer versions of Prometheus do. The strict parser takes it."""
    kind, text = await asyncio.to_thread(fetch, url, OPENMETRICS)
    assert kind.startswith("application/openmetrics-text")
    names = {family.name for family in openmetrics.text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    assert {"llum_build", "llum_asks", "llum_ask_seconds", "llum_partition_log_lag"} <= names


async def test_the_process_is_measured(url: str) -> None:
    """CPU, memory, open files: by the library, where the system tells them."""
    _, text = await asyncio.to_thread(fetch, url, "text/plain")
    assert ("process_cpu_seconds_total" in text) == (sys.platform == "linux")


async def test_a_port_that_is_taken_is_a_fault_with_a_way_on(tmp_path: Path) -> None:
    """One line that names the port, and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        with pytest.raises(Fault, match=f"cannot serve metrics on port {port} of 127.0.0.1") as caught:
            async with serving(Settings(data_dir=tmp_path, metrics_port=port), read):
                pytest.fail("it serves on a port that is taken")
    assert "--metrics-port" in (caught.value.error.hint or "")
