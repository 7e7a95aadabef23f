"""A soak says what grows: the rule on series that are made up, and a short soak of a running llum."""

import random
from pathlib import Path

import pytest

from bench.soak.report import judge, lines
from bench.soak.running import soak
from bench.soak.sampling import MB
from bench.soak.slopes import FEWEST, TROUGH, judged, judged_growth, line, troughs
from bench.starting import MIB

TIMES = [10.0 * number for number in range(120)]
SECONDS = 300.0
PARTITIONS = 8
"""So few that all shards are opened before the first third is over: after that, no descriptor is to be added."""

SERVER = "memory nats-server MB"

CACHED = ("active models", SERVER)
"""Whoever was there in the last ten minutes stays in memory: in less time that only grows. Nor is it long enough for
Go's collector to come to a level: nats-server's memory must stay within a bound. An hour shows whether it is flat."""

SERVER_LIMIT_MIB = 256


def noisy(slope: float, noise: float = 1.0) -> list[float]:
    chance = random.Random(1)
    return [100.0 + slope * at + chance.gauss(0.0, noise) for at in TIMES]


def test_noise_is_no_growth() -> None:
    """A level that goes up and down about the same is flat."""
    assert judged(TIMES, noisy(0.0), 0.0).is_flat


def test_a_leak_grows() -> None:
    """A level that rises by more than its noise and its allowance grows, and the slope says how fast."""
    verdict = judged(TIMES, noisy(0.05), 0.0)
    assert not verdict.is_flat
    assert verdict.line.slope == pytest.approx(0.05, abs=0.005)
    assert verdict.line.rise == pytest.approx(0.05 * verdict.line.span, rel=0.1)


def test_what_falls_is_flat() -> None:
    """Nobody minds."""
    assert judged(TIMES, noisy(-0.05), 0.0).is_flat


def test_the_beginning_does_not_count() -> None:
    """Caches fill in the first third."""
    filling = [min(at, 300.0) for at in TIMES]
    assert judged(TIMES, filling, 0.0).is_flat


def test_a_rise_that_says_nothing_is_allowed() -> None:
    """Two descriptors more of three are no leak yet."""
    levels = [3.0] * 60 + [5.0] * 60
    assert judged(TIMES, levels, 4.0).is_flat
    assert not judged(TIMES, levels, 0.0).is_flat


def test_what_is_let_go_again_is_no_growth() -> None:
    """A peak that comes more often towards the end is none; what stays is in the troughs, too."""
    peaks = [10.0 * (number % TROUGH == 0 and number > 60) for number in range(120)]
    level = [one + peak for one, peak in zip(noisy(0.0, 0.1), peaks, strict=True)]
    assert judged(troughs(TIMES), troughs(level), 0.0).is_flat
    leak = [one + 0.02 * at for one, at in zip(level, TIMES, strict=True)]
    assert not judged(troughs(TIMES), troughs(leak), 0.0).is_flat
    assert len(troughs(level[:FEWEST])) == FEWEST, "a short series keeps its samples"


def test_what_keeps_all_that_is_told_grows_evenly() -> None:
    """As many bytes for each command as before are even; more and more are not, though less is."""
    commands = [at * 20 for at in TIMES]
    assert judged_growth(commands, [400 * each for each in commands]).is_flat
    assert judged_growth(commands, [each**0.5 for each in commands]).is_flat
    assert not judged_growth(commands, [each**2 for each in commands]).is_flat
    assert judged_growth(commands, [0.0] * 90 + [5.0] * 30, least=8.0).is_flat, "less than a block says nothing"
    assert not judged_growth(commands, [0.0] * 90 + [9.0] * 30, least=8.0).is_flat


def test_one_sample_makes_no_growth() -> None:
    """Blocks that are about to go were there just when one looked for the last time."""
    commands = [at * 20 for at in TIMES]
    assert judged_growth(commands, [*noisy(0.0)[:-1], 140.0], least=8.0).is_flat


def test_too_few_samples_make_no_line() -> None:
    """A soak that is too short says so instead of saying that all is well."""
    with pytest.raises(ValueError, match="too few"):
        line(TIMES[: FEWEST - 1], TIMES[: FEWEST - 1])


@pytest.mark.long
async def test_five_minutes_of_soak_without_a_failure_are_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that people and apps do succeeds; memory, descriptors, threads, lag and disk are flat within their noise."""
    monkeypatch.setenv("GOMEMLIMIT", f"{SERVER_LIMIT_MIB}MiB")
    soaked = await soak(tmp_path, SECONDS, PARTITIONS)
    found = judge(soaked)
    print(*lines(soaked, found), sep="\n")
    assert not soaked.load.failed, soaked.load.first_failures
    assert len(soaked.load.done) == 9, "each kind of work is done"
    kinds = {one.name.split()[0] for one in found}
    assert kinds >= {"memory", "descriptors", "threads", "lag", "written", "disk"}
    assert [one.name for one in found if not one.verdict.is_flat and one.name not in CACHED] == []
    assert max(one.levels[SERVER] for one in soaked.samples) < 1.5 * SERVER_LIMIT_MIB * MIB / MB
