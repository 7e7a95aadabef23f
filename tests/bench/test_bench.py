"""The benchmarks run and yield figures. What the figures are is never looked at: the machine may be busy."""

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.catalogue import BENCHMARKS
from bench.cli import main, table
from bench.failures import BenchError
from bench.figures import Figure, Result, absolute, at_least, at_most
from bench.http_load import Lane, post
from bench.processes import environment
from bench.sizes import scaled

TINY = "0.001"
BARS = {
    "catch_up": 0.5,
    "ask": 0.6,
    "ask_p50": 1.6,
    "ask_evidence": 1.2,
    "http_ask": 0.5,
    "http_tell": 0.5,
    "start_up": 2.0,
    "ask_last10": 1.5,
    "ask_recent_count": 1.5,
    "ask_since_time": 1.5,
    "rules_absent": 1.05,
    "rules_effects": None,
    "rules_commands": None,
    "rules_chain": None,
    "memory": None,
    "activate": None,
}
COMPARED = BARS.keys() - {name for name, bar in BARS.items() if bar is None} - {"start_up"}


def test_there_is_a_benchmark_for_every_bar() -> None:
    """Every figure that llum is held to can be measured by name."""
    assert BENCHMARKS.keys() == BARS.keys()


@pytest.mark.parametrize(
    "names", [["catch_up"], ["start_up"], ["memory"], sorted(BARS.keys() - {"catch_up"})], ids="+".join
)
def test_benchmarks_run_end_to_end_and_print_only_json(names: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Each benchmark, run small, prints its figure as JSON on stdout and nothing else."""
    assert main([*names, "--json", "--scale", TINY]) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures.keys() == set(names)
    for name, figure in figures.items():
        _check(name, figure)


def test_the_module_runs_as_a_program() -> None:
    """`python -m bench` prints a table with the figure, what was counted, and the machine."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "memory", "--scale", TINY], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "memory" in done.stdout
    assert "What was counted:" in done.stdout
    assert "Machine: " in done.stdout


def test_the_scale_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """LLUM_BENCH_SCALE stands in for --scale, and `json=True` for --json."""
    monkeypatch.setenv("LLUM_BENCH_SCALE", TINY)
    assert main(["memory"], json=True) == 0
    _check("memory", json.loads(capfd.readouterr().out)["memory"])


@pytest.mark.parametrize("arguments", [["fastest"], ["--scale", "0"], ["--scale", "much"]], ids=" ".join)
def test_wrong_usage_is_explained(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """A benchmark or scale that cannot be ends with exit code 2 and a line that says so."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "bench: error: " in capfd.readouterr().err


def test_a_rate_is_held_to_at_least_its_bar() -> None:
    """A rate is compared by medians: one disturbed round does not decide."""
    figure = at_least(0.5, "asks/s", [60.0, 1.0, 50.0], [100.0, 900.0, 100.0])
    assert (figure.value, figure.limit, figure.ratio, figure.ok) == (50.0, 100.0, 0.5, True)
    assert not at_least(0.5, "asks/s", [49.0], [100.0]).ok


def test_a_time_is_held_to_at_most_its_bar() -> None:
    """A time is fine up to its bar, with a limit or without."""
    assert at_most(1.2, "µs", [120.0], [100.0]).ok
    assert not at_most(1.2, "µs", [121.0], [100.0]).ok
    assert absolute("s", 2.0, 2.0).ok
    assert not absolute("s", 2.1, 2.0).ok


def test_the_table_says_what_was_missed() -> None:
    """The table has the absolute figures beside the ratio, and a word on the bar."""
    results = {"ask": Result(at_least(0.6, "asks/s", [5000.0], [10000.0]), "32 in flight")}
    lines = table(results)
    assert lines[1].split() == ["ask", "5,000", "asks/s", "10,000", "0.50", "0.6", "missed"]
    assert lines[-1] == "ask  32 in flight"


def test_default_sizes_are_those_that_the_bars_speak_of() -> None:
    """At scale 1 catching up is measured over 100,000 commands of 200 users, and evidence up to 100,000 pieces."""
    sizes = scaled(1.0)
    assert (sizes.log_commands, sizes.log_users) == (100_000, 200)
    assert (sizes.little_evidence, sizes.much_evidence) == (10, 100_000)


def test_children_inherit_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller has set for its own llum does not reach the llum that is measured."""
    monkeypatch.setenv("LLUM_DATA_DIR", "/precious")
    monkeypatch.setenv("LLUM_LOG_LEVEL", "error")
    child = environment(http_port=0)
    assert {name: text for name, text in child.items() if name.startswith("LLUM_")} == {"LLUM_HTTP_PORT": "0"}


async def test_the_http_load_generator_counts_right_answers_however_they_are_cut() -> None:
    """An answer that comes in pieces counts once; the next request goes out after it, and none after the deadline."""
    with _connected(b'{"a"') as (lane, transport):
        running = asyncio.create_task(lane.run(deadline=0.0))
        await asyncio.sleep(0)
        for piece in (b"HTTP/1.1 200 OK\r\nContent-", b'Length: 7\r\n\r\n{"a"', b":1}"):
            lane.data_received(piece)
        assert await running == 1
        assert transport.written == [b"request"]


async def test_the_http_load_generator_sends_again_until_the_deadline() -> None:
    """Before the deadline each answer is followed by the next request."""
    with _connected(b"{}") as (lane, transport):
        running = asyncio.create_task(lane.run(deadline=math.inf))
        await asyncio.sleep(0)
        lane.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        assert transport.written == [b"request", b"request"]
        running.cancel()


async def test_the_http_load_generator_fails_on_a_wrong_answer() -> None:
    """A refusal is no answer to be counted: the measurement fails and shows it."""
    with _connected(b"{}") as (lane, _):
        running = asyncio.create_task(lane.run(deadline=0.0))
        await asyncio.sleep(0)
        lane.data_received(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(BenchError, match="503"):
            await running


def test_requests_are_written_as_they_go_over_the_wire() -> None:
    """A request names its host, its length and its token."""
    written = post("http://127.0.0.1:8080", "/ask", b"{}", "secret")
    assert written.startswith(b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert written.endswith(b"Content-Length: 2\r\nAuthorization: Bearer secret\r\n\r\n{}")


def _check(name: str, figure: dict[str, object]) -> None:
    assert figure.keys() == set(Figure.__struct_fields__)
    assert isinstance(figure["value"], int | float)
    assert math.isfinite(figure["value"])
    assert figure["unit"]
    assert figure["bar"] == BARS[name]
    assert isinstance(figure["ok"], bool)
    if name in COMPARED:
        assert isinstance(figure["limit"], float)
        assert isinstance(figure["ratio"], float)
        assert math.isclose(figure["ratio"], figure["value"] / figure["limit"])
    else:
        assert figure["limit"] is figure["ratio"] is None


class _Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        pass


@contextmanager
def _connected(expected: bytes) -> Iterator[tuple[Lane, _Transport]]:
    lane, transport = Lane(b"request", expected), _Transport()
    lane.connection_made(transport)  # type: ignore[arg-type]
    yield lane, transport
    lane.close()
