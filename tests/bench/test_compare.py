"""Two checkouts are compared by what their operations cost. What the figures are is never looked at."""

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.accounting import cpu_seconds
from bench.compare import house
from bench.compare.checkout import checkout
from bench.compare.cli import main, table
from bench.compare.house import CATCH_UP, OPERATIONS
from bench.compare.rounds import IDLE
from bench.failures import BenchError
from bench.processes import ROOT


def test_the_cpu_time_of_a_process_is_read_while_it_runs() -> None:
    """A process that works costs more and more, beyond the smallest unit that one could count in."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            costs = [_cost_after(busy.pid, 0.0)]
            costs.append(_cost_after(busy.pid, costs[-1] + 0.05))
        finally:
            busy.kill()
    assert costs[0] < costs[1]


def test_the_median_of_the_rounds_is_held_to_the_bar() -> None:
    """One disturbed round does not decide, and the table shows that there was one."""
    lines = table("old", {"bus tell": [100.0, 100.0, 100.0]}, "new", {"bus tell": [104.0, 300.0, 103.0]})
    assert lines[-1] == "| bus tell | 100.0 | 104.0 | 1.040 | 1.05 | ok | 1.03 to 3.00 |"


def test_what_costs_more_than_the_bar_allows_is_missed() -> None:
    """Six hundredths more are too many."""
    lines = table("old", {"bus ask": [100.0]}, "new", {"bus ask": [106.0]})
    assert "| missed |" in lines[-1]


def test_what_an_idle_llum_costs_has_no_bar() -> None:
    """It is shown, so that nobody wonders what was taken off."""
    lines = table("old", {IDLE: [9000.0]}, "new", {IDLE: [18000.0]})
    assert lines[-1] == "| idle second | 9000.0 | 18000.0 | 2.000 |  |  | 2.00 to 2.00 |"


def test_a_base_that_is_nothing_is_explained(capfd: pytest.CaptureFixture[str]) -> None:
    """What is neither a commit nor a folder ends with exit code 1 and a line that says so."""
    assert main(["no-such-commit"]) == 1
    assert "no-such-commit is neither a folder with llum in it nor a commit" in capfd.readouterr().err


def test_a_folder_is_run_by_its_own_code(tmp_path: Path) -> None:
    """A folder whose code is not what its Python would run is refused: the figure would be that of something else."""
    (tmp_path / "llum").mkdir()
    with pytest.raises(BenchError, match="does not run the llum of"), checkout(str(tmp_path)):
        pass


@pytest.mark.long
def test_two_checkouts_are_compared_end_to_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every operation has a figure for both, here of the same code and small."""
    monkeypatch.setattr(house, "PEOPLE", 1)
    monkeypatch.setattr(house, "OLD_S", 0.0)
    assert main([str(ROOT), "--rounds", "1", "--scale", "0.001"]) == 0
    rows = [line.split("|") for line in capfd.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[1].strip() for row in rows[2:]] == [*(operation.name for operation in (*OPERATIONS, CATCH_UP)), IDLE]
    assert all(math.isfinite(float(cell)) for row in rows[2:] for cell in row[2:4])


def _cost_after(pid: int, more_than: float) -> float:
    """Wait until a process has cost more than so much, and give what it has."""
    while (cost := cpu_seconds([pid])) <= more_than:
        time.sleep(0.01)
    return cost
