"""Sequences by time, in SQL.

A partition's clock never goes back, so commands that stand in the order of their sequences stand in the order of their
times, too: a time is found by halving, and no command pays for an index. Of a hundred million sequences that takes 27
steps, each a look-up by key.
"""

from typing import Final

LAST_SEQ_UNTIL: Final = """
WITH RECURSIVE search (low, high, time_us) AS (
    SELECT 0, coalesce((SELECT max(seq) FROM command), 0), ?
    UNION ALL
    SELECT iif(command.seq <= search.high AND command.time_us <= search.time_us, command.seq, search.low),
        iif(command.seq <= search.high AND command.time_us <= search.time_us, search.high,
            (search.low + search.high + 1) / 2 - 1),
        search.time_us
    FROM search CROSS JOIN command
        ON command.seq = (SELECT min(seq) FROM command WHERE seq >= (search.low + search.high + 1) / 2)
    WHERE search.low < search.high
)
SELECT low FROM search WHERE low = high
"""
"""The partition's last command at or before a time (microseconds); 0 if there is none.

It is `low` or stands behind it, but not behind `high`. Looked at is the first command in the upper half: sequences have
gaps, because partitions share a stream.
"""

TIME_AT_SEQ: Final = "SELECT time_us FROM command WHERE seq <= ? ORDER BY seq DESC LIMIT 1"

LATEST_TIME: Final = "SELECT coalesce((SELECT time_us FROM command ORDER BY seq DESC LIMIT 1), 0)"

FIRST_TIME: Final = "SELECT time_us FROM command ORDER BY seq LIMIT 1"
