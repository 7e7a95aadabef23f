"""What a worker and an edge tell, with a real nats-server: all that is declared, also while the log is away."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from actors.figures import Counters, PartitionFigures, WorkerFigures
from bus import lines
from bus.connection import Bus
from bus.installation import Installation
from bus.jetstream import JetStream
from bus.subjects import DEFAULT_LOG_STREAMS, log_subject
from edge_http.http.connections import Places
from llum.metrics.declared import OF_BOTH, OF_EDGE, OF_WORKER
from llum.metrics.of_edge import EdgeMetrics
from llum.metrics.of_worker import WorkerMetrics
from llum.metrics.values import MetricValue
from tests.actors.serving import PARTITIONS, speaking, worker

INSTALLATION = Installation(PARTITIONS, DEFAULT_LOG_STREAMS)


@pytest.fixture(autouse=True)
def _lines_as_they_were() -> Iterator[None]:
    yield
    lines.lead()


def names(values: list[MetricValue]) -> set[str]:
    return {value.name for value in values}


def of(values: list[MetricValue], name: str) -> list[object]:
    return [value.value for value in values if value.name == name]


def standing(number: int, applied_seq: int) -> PartitionFigures:
    return PartitionFigures(number, True, True, False, applied_seq, applied_seq, 0, 0, 0, 0)


async def test_a_worker_tells_all_that_is_declared(tmp_path: Path) -> None:
    """And nothing else."""
    async with speaking(tmp_path) as (server, llum):
        metrics = WorkerMetrics(llum.bus, INSTALLATION, tmp_path)
        async with worker(server.url_as("operator"), tmp_path / "shards", on_open=metrics.watch):
            await llum.make_person("alice", "x")
            values = await metrics.read()
    assert names(values) == {metric.name for metric in (*OF_BOTH, *OF_WORKER)}
    assert of(values, "llum_partition_answers") == [1] * PARTITIONS
    assert of(values, "llum_partition_log_lag") == [0] * PARTITIONS


async def test_without_the_log_a_worker_tells_the_rest(tmp_path: Path) -> None:
    """An alert says that the bus is away; another one that the worker is gone would be wrong."""
    async with speaking(tmp_path) as (server, _):
        bus = await Bus.connect(server.url_as("operator"), name="test-metrics")
        metrics = WorkerMetrics(bus, INSTALLATION, tmp_path)
        async with worker(server.url_as("operator"), tmp_path / "shards", on_open=metrics.watch):
            await bus.close()
            values = await metrics.read()
            assert of(values, "llum_bus_connected") == [0]
            assert of(values, "llum_partition_answers") == [1] * PARTITIONS
            assert of(values, "llum_partition_log_lag") == []


async def test_what_is_in_the_log_and_not_applied_is_a_lag(tmp_path: Path) -> None:
    """Told in sequences of the log. What has never had a command has none."""
    async with speaking(tmp_path) as (_, llum):
        jetstream = JetStream(llum.bus)
        first, last = [await jetstream.publish(log_subject(0, "alice", "llum", "tell"), b"{}") for _ in range(2)]
        partitions = [standing(0, applied_seq=first), standing(1, applied_seq=0)]
        metrics = WorkerMetrics(llum.bus, INSTALLATION, tmp_path)
        figures = WorkerFigures(partitions, 0, 0, 0, False, Counters())
        metrics.watch(MagicMock(partitions=[0, 1], figures=figures))
        assert of(await metrics.read(), "llum_partition_log_lag") == [last - first, 0]


async def test_an_edge_tells_all_that_is_declared() -> None:
    """With each class of status of each face, from the start: what begins at 1 has not grown, for Prometheus."""
    bus = MagicMock()
    bus.connected = True
    values = await EdgeMetrics(bus, 64, {("GET", "/ask"): "personis"}, Places(8)).read()
    assert names(values) == {metric.name for metric in (*OF_BOTH, *OF_EDGE)}
    told = {value.labels: value.value for value in values if value.name == "llum_http_requests_total"}
    assert told[("personis", "5xx")] == told[("none", "4xx")] == 0
