"""Sequences are found by their times, by halving instead of an index."""

import random
import sqlite3

import pytest

from actors.store import sql, sql_times


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 200])
@pytest.mark.parametrize("seed", range(5))
def test_the_last_command_until_a_time_is_found_whatever_gaps_there_are(count: int, seed: int) -> None:
    """Sequences have gaps, several commands have one time, and any time may be asked for."""
    draw = random.Random(seed)
    seqs = sorted(draw.sample(range(1, 9 * count + 2), count))
    times = sorted(draw.choices(range(1000, 1000 + 2 * count), k=count)) if count else []
    connection = sqlite3.connect(":memory:")
    connection.executescript(sql.SCHEMA)
    connection.executemany(
        "INSERT INTO command VALUES (?, ?, 1, 1, 'app', 'id', NULL, NULL, NULL, 0)", zip(seqs, times, strict=True)
    )
    for time_us in range(998, 1003 + 2 * count):
        ((found,),) = connection.execute(sql_times.LAST_SEQ_UNTIL, (time_us,)).fetchall()
        assert found == max((seq for seq, at in zip(seqs, times, strict=True) if at <= time_us), default=0)
    ((latest,),) = connection.execute(sql_times.LATEST_TIME).fetchall()
    assert latest == max(times, default=0)
