"""The benchmarks run and yield figures. What the figures are is never looked at: the machine may be busy."""

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.catalogue import BENCHMARKS
from bench.cli import main
from bench.failures import BenchError, NotMeasurableError
from bench.figures import Figure, Result, absolute, at_least, at_most
from bench.http_load import Lane, post
from bench.in_turn import Side, Turn, in_turn
from bench.peers.cluster import find_programs
from bench.processes import ROOT, environment
from bench.report import absences, costs_in_words, keep, kept, table
from bench.sizes import scaled

TINY = "0.001"
PAGE = ROOT / "docs" / "explanation" / "performance.md"
BARS = {
    "catch_up": 0.35,
    "ask": 0.75,
    "ask_p50": 1.25,
    "ask_evidence": 1.1,
    "http_ask": 0.75,
    "http_tell": 0.75,
    "connect": None,
    "connect_p50": None,
    "peer_tell_8": 1.0,
    "peer_tell_32": 1.0,
    "peer_ask_8": 1.0,
    "peer_ask_32": 1.0,
    "peer_checked_tell_32": None,
    "peer_checked_ask_32": None,
    "tell_crowd": 0.7,
    "fair_http": 4.0,
    "fair_bus": None,
    "large_answers": 3.0,
    "start_up": 1.5,
    "at_rest": 160,
    "ask_last10": 1.5,
    "ask_recent_count": 1.5,
    "ask_since_time": 1.5,
    "ask_held": 1.5,
    "rules_absent": 1.05,
    "rules_effects": None,
    "rules_commands": None,
    "rules_chain": None,
    "rules_idle": None,
    "audit": 1.05,
    "memory": 8000,
    "activate": None,
    "activation": 3.0,
    "log_growth": None,
    "shard_growth": None,
    "two_workers": 1.15,
    "from_snapshot": 10.0,
    "move_partition": None,
    "many_people_start": None,
    "many_people_memory": None,
    "broker_subject": None,
}
PEERS = {name for name in BARS if name.startswith("peer_")}
CONNECTS = {name for name in BARS if name.startswith("connect")}
ABSOLUTE = {"at_rest", "memory"}
"""Figures with a bar and nothing to compare them with."""
COMPARED = BARS.keys() - {name for name, bar in BARS.items() if bar is None} - ABSOLUTE | PEERS | CONNECTS
COSTED = {
    "catch_up",
    "ask",
    "ask_p50",
    "ask_evidence",
    "http_ask",
    "http_tell",
    "tell_crowd",
    "audit",
    "two_workers",
    *PEERS,
    *CONNECTS,
}
"""Figures that show what an operation costs by process, for llum and for its limit."""


def test_there_is_a_benchmark_for_every_bar() -> None:
    """Every figure that llum is held to can be measured by name."""
    assert BENCHMARKS.keys() == BARS.keys()


@pytest.mark.parametrize("name", sorted(BARS))
def test_every_benchmark_is_explained(name: str) -> None:
    """The page about performance says what is measured against what."""
    assert f"`{name}`" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("names", [["catch_up"], sorted(BARS.keys() - {"catch_up"})], ids="+".join)
def test_benchmarks_run_end_to_end_and_print_only_json(names: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Each benchmark, run small, prints its figure as JSON on stdout and nothing else."""
    assert main([*names, "--json", "--scale", TINY]) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures.keys() == set(names) - (set() if _postgres_is_here() else PEERS)
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


def test_what_is_missing_is_said_once_for_all_who_need_it() -> None:
    """What could not be measured is no figure: one line names it and the reason."""
    assert absences({"one": "no such program", "two": "no such program"}) == ["Not measured: one, two: no such program"]


def test_a_benchmark_that_lacks_something_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where a program is absent that only one benchmark needs, the others are measured and the exit code is 0."""

    async def lacking(_ground: object) -> Result:
        raise NotMeasurableError("there is no such program")

    monkeypatch.setattr("bench.cli.BENCHMARKS", {"lacking": lacking, "memory": BENCHMARKS["memory"]})
    assert main(["lacking", "memory", "--json", "--scale", TINY]) == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out).keys() == {"memory"}
    assert "Not measured: lacking: there is no such program" in captured.err


def test_costs_are_written_by_process() -> None:
    """The sum comes first, then the dearest process."""
    assert costs_in_words({"edge": 100.0, "worker": 400.0}) == "500 = worker 400, edge 100"


def test_figures_are_kept_beside_those_of_before(tmp_path: Path) -> None:
    """A run of some benchmarks replaces their figures in the file and leaves the others, of the same machine, alone."""
    file = tmp_path / "figures.json"
    keep({"ask": Result(absolute("s", 1.0), "first"), "memory": Result(absolute("bytes", 9.0), "before")}, file)
    keep({"ask": Result(absolute("s", 2.0), "second")}, file)
    figures = kept(file).figures
    assert (figures["ask"].counted, figures["memory"].counted) == ("second", "before")
    assert kept(file).machine


def test_figures_of_another_machine_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of two machines say nothing beside each other."""
    file = tmp_path / "figures.json"
    keep({"memory": Result(absolute("bytes", 9.0), "elsewhere")}, file)
    monkeypatch.setattr("bench.report.machine", lambda: "another machine")
    keep({"ask": Result(absolute("s", 2.0), "here")}, file)
    assert kept(file).figures.keys() == {"ask"}


async def test_both_sides_work_in_turn_and_each_bears_its_own_costs() -> None:
    """A side's cost is what its processes have spent in its turn, shared out among the operations of the turn."""
    order: list[str] = []

    def side(name: str) -> Side:
        async def work(_duration_s: float) -> Turn:
            order.append(name)
            return Turn(figure=1.0, operations=4)

        return Side(work, lambda: {name: 2e-6 * len(order), "idle": 5.0})

    one, other = await in_turn(2, 0.0, side("one"), side("other"))
    assert order == ["one", "other", "other", "one"]
    assert one.figures == [1.0, 1.0]
    assert one.cpu_us == {"one": pytest.approx(0.5), "idle": 0.0}
    assert other.cpu_us["other"] == pytest.approx(0.5)


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


def _postgres_is_here() -> bool:
    try:
        find_programs()
    except NotMeasurableError:
        return False
    return True


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
    if name.startswith(("http_", "peer_")):
        assert {"edge", "worker", "nats-server"} <= figure["cpu_us"].keys()
    for costs in (figure["cpu_us"], figure["limit_cpu_us"]):
        assert (costs is not None) == (name in COSTED)
        assert costs is None or all(cost > 0 for cost in costs.values())


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
