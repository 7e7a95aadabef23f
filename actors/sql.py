"""Every SQL statement of the shard, named.

A batch is written by ONE statement, an INSERT into the view `batch` whose trigger spreads JSON arrays over the
tables. So a batch is one transaction by construction, one hop to the connection's thread, and runs without the
interpreter's lock: the event loop goes on meanwhile (`executemany` would take the lock back for each row).

Rows are appended in the log's order, and the indexes that are not in that order are narrow, so writing costs little
more when the shard is large. Structure (`item`) is kept in all its versions: `body` is null where an item was
dropped. So a model can be loaded as it was at any sequence or time. `component_no` holds the sequence that made
the component: it is unique in the shard, for ever.
"""

from typing import Any, Final

from model.ask import Read

SCHEMA_VERSION: Final = 1

PRAGMAS: Final = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    # The log has the data: what a power cut takes from the shard is read from the log again.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -4096",
    "PRAGMA wal_autocheckpoint = 2000",
    "PRAGMA journal_size_limit = 33554432",
)

IS_REPEATED: Final = "a command is repeated"

SCHEMA: Final = f"""
BEGIN;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE user (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, time_us INTEGER NOT NULL);
CREATE TABLE item (
    user_key INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL,
    time_us INTEGER NOT NULL, body TEXT,
    PRIMARY KEY (user_key, kind, key, seq)
) WITHOUT ROWID;
CREATE TABLE evidence (
    component_no INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, is_goal INTEGER NOT NULL,
    creation_us INTEGER NOT NULL, useby REAL, body TEXT NOT NULL
);
CREATE INDEX evidence_of_component ON evidence (component_no, seq, n);
CREATE INDEX evidence_of_goals ON evidence (component_no, seq, n) WHERE is_goal = 1;
CREATE TABLE command (
    seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, hash INTEGER NOT NULL,
    user_key INTEGER NOT NULL, app TEXT NOT NULL, id TEXT NOT NULL, outcome TEXT
);
CREATE INDEX command_by_hash ON command (hash);
CREATE INDEX command_by_time ON command (time_us);
CREATE TABLE outbox (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seq, n)
);
CREATE VIEW batch AS
    SELECT NULL AS users, NULL AS items, NULL AS evidence, NULL AS commands, NULL AS outbox, NULL AS applied_seq;
CREATE TRIGGER batch_is_applied INSTEAD OF INSERT ON batch BEGIN
    SELECT raise(ABORT, '{IS_REPEATED}')
        FROM json_each(NEW.commands) AS new
        CROSS JOIN command INDEXED BY command_by_hash ON command.hash = new.value ->> 2
        WHERE command.user_key = new.value ->> 3 AND command.app = new.value ->> 4 AND command.id = new.value ->> 5;
    INSERT INTO user (key, name, seq, time_us)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(NEW.users) WHERE true
        ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, time_us = excluded.time_us;
    INSERT INTO item (user_key, kind, key, seq, time_us, body)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
        FROM json_each(NEW.items) WHERE true
        ON CONFLICT (user_key, kind, key, seq) DO UPDATE SET body = excluded.body;
    INSERT INTO evidence (component_no, seq, n, is_goal, creation_us, useby, body)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
        FROM json_each(NEW.evidence);
    INSERT INTO command (seq, time_us, hash, user_key, app, id, outcome)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
        FROM json_each(NEW.commands);
    INSERT INTO outbox (seq, n, kind, body)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(NEW.outbox);
    UPDATE meta SET value = NEW.applied_seq WHERE name = 'applied_seq';
END;
INSERT INTO meta (name, value) VALUES ('schema_version', {SCHEMA_VERSION}), ('applied_seq', 0);
COMMIT;
"""  # noqa: S608 - only our own constants

IS_NEW: Final = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)"
READ_META: Final = "SELECT name, value FROM meta"
LAST_USER_KEY: Final = "SELECT coalesce(max(key), 0) FROM user"

WRITE_BATCH: Final = (
    "INSERT INTO batch (users, items, evidence, commands, outbox, applied_seq) VALUES (?, ?, ?, ?, ?, ?)"
)

KNOWN_COMMANDS: Final = """
SELECT user.name, command.app, command.id, command.seq, command.outcome
FROM json_each(?) AS wanted
CROSS JOIN command INDEXED BY command_by_hash ON command.hash = wanted.value
CROSS JOIN user ON user.key = command.user_key
"""
"""The commands of these hashes; the caller compares the ids themselves. CROSS JOIN keeps the order: look-ups only."""

LOAD_USERS: Final = """
SELECT user.name, user.key, user.seq, user.time_us
FROM json_each(?) AS wanted CROSS JOIN user ON user.name = wanted.value
"""

LOAD_ITEMS: Final = """
SELECT user.name, item.kind, item.key, item.body, max(item.seq)
FROM json_each(?) AS wanted CROSS JOIN user ON user.name = wanted.value CROSS JOIN item ON item.user_key = user.key
GROUP BY user.name, item.kind, item.key
"""
"""The newest version of each item: SQLite takes the bare columns from the row of the maximum."""

LOAD_ITEMS_AS_OF: Final = """
SELECT item.kind, item.key, item.body, max(item.seq)
FROM user CROSS JOIN item ON item.user_key = user.key
WHERE user.name = ? AND item.seq <= ? AND item.time_us <= ? GROUP BY item.kind, item.key
"""

TIME_AT_SEQ: Final = "SELECT time_us FROM command WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
SEQ_AT_TIME: Final = "SELECT coalesce(max(seq), 0) FROM command WHERE time_us <= ?"

OUTBOX: Final = "SELECT seq, n, kind, body FROM outbox ORDER BY seq, n LIMIT ?"
FORGET_OUTBOX: Final = "DELETE FROM outbox WHERE seq <= ?"


def evidence_query(read: Read) -> tuple[str, list[Any]]:
    """Write the statement of one read: a range of one index, bounded so that only what it returns is looked at.

    Evidence is in the order of sequences, so a time is first turned into a bound on the sequence: no command
    before the first one at or after `since_us` can have made evidence that is new enough, and no command after the
    last one at or before `until_us` evidence that is old enough. The exact comparison follows.
    """
    where = ["component_no = ?", "seq <= ?"]
    values: list[Any] = [read.component_no, read.seq_max]

    def add(condition: str, *arguments: Any) -> None:
        where.append(condition)
        values.extend(arguments)

    if read.since_us is not None:
        add("seq >= (SELECT coalesce(min(seq), 9223372036854775807) FROM command WHERE time_us >= ?)", read.since_us)
        add("creation_us >= ?", read.since_us)
    if read.until_us is not None:
        add("seq <= (SELECT coalesce(max(seq), 0) FROM command WHERE time_us <= ?)", read.until_us)
        add("creation_us <= ?", read.until_us)
    if read.goal is not None:
        add("is_goal = 1" if read.goal else "is_goal = 0")
    if read.after is not None:
        add("(seq, n) > (?, ?)", *read.after)
    if read.unexpired_at is not None:
        add("(useby IS NULL OR useby > ?)", read.unexpired_at)
    condition = " AND ".join(where)
    if read.count_only:
        return f"SELECT count(*) FROM evidence WHERE {condition}", values  # noqa: S608 - conditions are ours
    order, limit = ("DESC", read.newest) if read.newest is not None else ("ASC", read.limit)
    values.append(limit)
    columns = f"SELECT body FROM evidence WHERE {condition}"  # noqa: S608 - conditions are ours
    return f"{columns} ORDER BY seq {order}, n {order} LIMIT ?", values
