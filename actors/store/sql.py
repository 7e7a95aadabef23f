"""Every SQL statement of the shard, named; those of what follows from evidence stand in `sql_following`,
sequences by time in `sql_times`.

A batch is one transaction in one hop to the connection's thread: prepared statements, each for all rows of its table.

Rows are appended in the log's order. The indexes that are not in that order are narrow, and what writing touches of
them does not grow with the shard: hashes of commands, which fall anywhere, are indexed by era, so that only the pages
of the last era change; a look-up, which is rare, tries each era. Structure (`item`) is kept in all its versions: `body`
is null where an item was dropped. So a model can be loaded as it was at any sequence or time. As it is now it also
stands in one piece (`structure`), unless it is large. `component_no` holds the sequence that made the component: it is
unique in the shard, for ever. Evidence that held from its acceptance on is in the order of holding as it is; only of
components that have other evidence that order is kept, too (`held`).
"""

from typing import Final

from model.reads import EvidenceKind
from schemas.names import UNICODE_VERSION

SCHEMA_VERSION: Final = 8

ERA_BITS: Final = 14
"""16,384 commands are an era, about 350 kB of the index by hash."""

KIND_NUMBERS: Final[dict[EvidenceKind, int]] = {"plain": 0, "goal": 1, "correction": 2}
"""How a kind of evidence is stored: indexes tell numbers apart. They are part of the schema."""

PAGE_SIZE: Final = "PRAGMA page_size = 4096"
"""What is touched here and there, a page for each row, is written page by page: small ones cost half."""

PRAGMAS: Final = (
    PAGE_SIZE,
    "PRAGMA journal_mode = WAL",
    # The log has the data: what a power cut takes from the shard is read from the log again.
    "PRAGMA synchronous = NORMAL",
    # What is deleted is overwritten, so that forgetting a person leaves nothing behind in the file.
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -4096",
    # Of the process, not of this shard: pages that the caches of all its shards keep together. What goes from there is
    # still in the system's own cache.
    f"PRAGMA soft_heap_limit = {32 * 1024 * 1024}",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 33554432",
)

SCHEMA: Final = f"""
BEGIN;
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE user (
    key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, time_us INTEGER NOT NULL,
    log_sum BLOB NOT NULL, state_sum INTEGER NOT NULL, checksum INTEGER NOT NULL
);
CREATE TABLE item (
    user_key INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL,
    time_us INTEGER NOT NULL, body TEXT,
    PRIMARY KEY (user_key, kind, key, seq)
) WITHOUT ROWID;
CREATE TABLE structure (user_key INTEGER PRIMARY KEY, body BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE evidence (
    component_no INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, kind INTEGER NOT NULL,
    creation_us INTEGER NOT NULL, useby REAL, body TEXT NOT NULL
);
CREATE INDEX evidence_of_component ON evidence (component_no, seq, n);
CREATE INDEX evidence_of_goals ON evidence (component_no, seq, n) WHERE kind = {KIND_NUMBERS["goal"]};
CREATE INDEX evidence_of_corrections ON evidence (component_no, seq, n) WHERE kind = {KIND_NUMBERS["correction"]};
CREATE TABLE held (
    component_no INTEGER NOT NULL, held REAL NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, kind INTEGER NOT NULL,
    PRIMARY KEY (component_no, held, seq, n)
) WITHOUT ROWID;
CREATE INDEX held_goals ON held (component_no, held, seq, n) WHERE kind = {KIND_NUMBERS["goal"]};
CREATE INDEX held_corrections ON held (component_no, held, seq, n) WHERE kind = {KIND_NUMBERS["correction"]};
CREATE TABLE withdrawal (
    component_no INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL,
    at_seq INTEGER NOT NULL, at_us INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (component_no, seq, n)
) WITHOUT ROWID;
CREATE TABLE consequence (
    user_key INTEGER NOT NULL, grantee TEXT NOT NULL, cause_no INTEGER NOT NULL,
    cause_seq INTEGER NOT NULL, cause_n INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL,
    component_no INTEGER NOT NULL, body TEXT,
    PRIMARY KEY (user_key, grantee, cause_no, cause_seq, cause_n, seq, n)
) WITHOUT ROWID;
CREATE TABLE cause (
    user_key INTEGER NOT NULL, root TEXT NOT NULL, seq INTEGER NOT NULL, count INTEGER NOT NULL,
    checksum INTEGER NOT NULL, PRIMARY KEY (user_key, root)
) WITHOUT ROWID;
CREATE TABLE command (
    seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, hash INTEGER NOT NULL,
    user_key INTEGER NOT NULL, app TEXT NOT NULL, id TEXT NOT NULL, outcome TEXT, digest BLOB, body INTEGER,
    era INTEGER NOT NULL
);
CREATE INDEX command_by_hash ON command (era, hash);
CREATE TABLE outbox (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (seq, n)
);
INSERT INTO meta (name, value)
    VALUES ('schema_version', {SCHEMA_VERSION}), ('unicode_version', {UNICODE_VERSION}),
    ('applied_seq', 0), ('commands', 0), ('traces', 0),
    ('digest_key', 0), ('last_time_us', 0), ('last_digest', x''), ('log_sum', zeroblob(16)),
    ('state_sum', 0);
CREATE TABLE restated (
    user TEXT NOT NULL, number INTEGER NOT NULL, attempt TEXT NOT NULL, seq INTEGER NOT NULL, time_us INTEGER NOT NULL,
    hash INTEGER NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (user, number)
) WITHOUT ROWID;
CREATE TABLE rewriting (user TEXT PRIMARY KEY, seq INTEGER NOT NULL, kept TEXT) WITHOUT ROWID;
COMMIT;
"""  # noqa: S608 - only our own constants

NOTE_ERASURE: Final = """
INSERT INTO meta (name, value) VALUES ('erased_seq', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
"""Shards of partitions where nobody was forgotten do not have it."""

NOTE_LEVEL: Final = """
INSERT INTO meta (name, value) VALUES ('level', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
"""Shards of partitions whose level was never raised do not have it."""

IS_NEW: Final = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)"
READ_META: Final = "SELECT name, value FROM meta"
LAST_USER_KEY: Final = "SELECT coalesce(max(key), 0) FROM user"
HAS_OUTBOX: Final = "SELECT EXISTS (SELECT 1 FROM outbox)"
HAS_RULES: Final = """
SELECT EXISTS (SELECT 1 FROM user CROSS JOIN item ON item.user_key = user.key AND item.kind = 'rule')
"""

BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

PUT_USER: Final = """
INSERT INTO user (key, name, seq, time_us, log_sum, state_sum, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, time_us = excluded.time_us, log_sum = excluded.log_sum,
    state_sum = excluded.state_sum, checksum = excluded.checksum
"""
PUT_ITEM: Final = """
INSERT INTO item (user_key, kind, key, seq, time_us, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (user_key, kind, key, seq) DO UPDATE SET body = excluded.body
"""
PUT_STRUCTURE: Final = "INSERT OR REPLACE INTO structure (user_key, body, checksum) VALUES (?, ?, ?)"
DROP_STRUCTURE: Final = "DELETE FROM structure WHERE user_key = ?"
ADD_EVIDENCE: Final = """
INSERT INTO evidence (component_no, seq, n, kind, creation_us, useby, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
ADD_HELD: Final = "INSERT INTO held (component_no, held, seq, n, kind) VALUES (?, ?, ?, ?, ?)"
KEEP_HELD_ORDER: Final = """
INSERT INTO held (component_no, held, seq, n, kind)
SELECT component_no, creation_us / 1e6, seq, n, kind FROM evidence WHERE component_no = ? AND seq < ?
"""
"""What was told before the component is kept in the order of holding, held from its acceptance."""

ADD_COMMAND: Final = """
INSERT INTO command (seq, time_us, hash, user_key, app, id, outcome, digest, body, era)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
TOGETHER: Final = (64, 8)
"""Numbers of rows that one run of a statement adds, the largest first. Each run lets go of Python's lock, which is then
fought for with whoever applies commands: that costs more than a row. Each number is one more prepared statement."""


def _together(statement: str, rows: int) -> str:
    before, values, after = statement.partition("VALUES ")
    row, end, after = after.partition(")")
    return f"{before}{values}{', '.join([row + end] * rows)}{after}"


ROWS_TOGETHER: Final = {
    statement: [(rows, _together(statement, rows)) for rows in TOGETHER]
    for statement in (PUT_USER, PUT_ITEM, PUT_STRUCTURE, ADD_EVIDENCE, ADD_HELD, ADD_COMMAND)
}
"""The statements of which there are many rows in a batch: for so many rows, by those for one."""

ADD_OUTBOX: Final = "INSERT INTO outbox (seq, n, kind, body, checksum) VALUES (?, ?, ?, ?, ?)"
ADD_WITHDRAWAL: Final = """
INSERT INTO withdrawal (component_no, seq, n, at_seq, at_us, body) VALUES (?, ?, ?, ?, ?, ?)
"""
PUT_CAUSE: Final = """
INSERT INTO cause (user_key, root, seq, count, checksum) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (user_key, root) DO UPDATE SET seq = excluded.seq, count = excluded.count, checksum = excluded.checksum
"""
DROP_IDLE_CAUSES: Final = "DELETE FROM cause WHERE user_key = ? AND count = 0"
SET_META: Final = "UPDATE meta SET value = ? WHERE name = ?"

_COMPONENTS_OF_USER: Final = """
SELECT body ->> 'number' FROM item WHERE user_key = :key AND kind = 'component' AND body IS NOT NULL
"""
FORGET_USER: Final = (
    f"DELETE FROM withdrawal WHERE component_no IN ({_COMPONENTS_OF_USER})",  # noqa: S608 - ours
    f"DELETE FROM held WHERE component_no IN ({_COMPONENTS_OF_USER})",  # noqa: S608 - ours
    f"DELETE FROM evidence WHERE component_no IN ({_COMPONENTS_OF_USER})",  # noqa: S608 - ours
    "DELETE FROM item WHERE user_key = :key",
    "DELETE FROM structure WHERE user_key = :key",
    "DELETE FROM cause WHERE user_key = :key",
    "DELETE FROM consequence WHERE user_key = :key",
    "DELETE FROM command WHERE user_key = :key",
    "DELETE FROM user WHERE key = :key",
    "DELETE FROM outbox WHERE body ->> 'user' = :user AND seq < :seq",
    "DELETE FROM restated WHERE user = :user",
    "DELETE FROM rewriting WHERE user = :user",
)
"""Of all versions of the person's components, and so on; what the forget itself leaves in the outbox stays."""

KNOWN_COMMANDS: Final = """
WITH RECURSIVE era (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM era WHERE number < ?)
SELECT user.name, command.app, command.id, command.hash, command.seq, command.outcome, command.body
FROM era CROSS JOIN json_each(?) AS wanted
CROSS JOIN command INDEXED BY command_by_hash ON command.era = era.number AND command.hash = wanted.value
LEFT JOIN user ON user.key = command.user_key
"""
"""The commands of these hashes, up to the last era; the caller compares the ids themselves. CROSS JOIN keeps the order:
look-ups only. Of a forget only the hash is left, it has no user; of what was forgotten only the hash, too.
"""

COMMAND_HASHES: Final = "SELECT era, hash FROM command WHERE (era, hash) > (?, ?) ORDER BY era, hash LIMIT 500"
"""A page is taken in within a fifth of a millisecond, then others have their turn."""

USER_NAMES: Final = "SELECT key, name FROM user WHERE key > ? ORDER BY key LIMIT 500"

USERS_AFTER: Final = "SELECT name FROM user WHERE name > ? ORDER BY name LIMIT ?"

LOAD_USER: Final = """
SELECT user.key, user.seq, user.time_us, user.log_sum, user.state_sum, user.checksum, structure.checksum, structure.body
FROM user LEFT JOIN structure ON structure.user_key = user.key WHERE user.name = ?
"""
"""The structure in one piece, as `model.packing` writes it; null: there are only its items."""

LOAD_ITEMS: Final = """
SELECT kind, key, body FROM item WHERE user_key = ? AND kind <> 'decision' ORDER BY kind, key, seq
"""
"""All versions: to leave out the old ones would cost more than to fetch them, since structure changes seldom.
Decisions about apps are no part of a model in memory: they are read when somebody asks for them."""

LOAD_ITEMS_AS_OF: Final = """
SELECT item.kind, item.key, item.body, max(item.seq)
FROM user CROSS JOIN item ON item.user_key = user.key
WHERE user.name = ? AND item.seq <= ? AND item.time_us <= ? AND item.kind <> 'decision' GROUP BY item.kind, item.key
"""

LOAD_DECISIONS: Final = """
SELECT item.seq, item.key, item.body FROM user CROSS JOIN item ON item.user_key = user.key
WHERE user.name = ? AND item.kind = 'decision' AND item.key > ? AND item.key < ? AND item.seq <= ?
ORDER BY item.seq DESC, item.key DESC LIMIT ?
"""

LOAD_CAUSES: Final = "SELECT root, seq, count, checksum FROM cause WHERE user_key = ? ORDER BY seq"

KEPT_BELOW: Final = """
SELECT seq, time_us, digest FROM command WHERE seq < ? AND digest IS NOT NULL ORDER BY seq DESC LIMIT 500
"""

LIST_THERE: Final = (
    "CREATE TABLE there (hash INTEGER PRIMARY KEY)",
    "INSERT OR IGNORE INTO there SELECT hash FROM now.command",
)
_LOST: Final = """
FROM before.command LEFT JOIN before.user ON user.key = command.user_key
WHERE (outcome IS NULL OR outcome ->> 'outcome' = 'accepted')
AND NOT EXISTS (SELECT 1 FROM there WHERE there.hash = command.hash)
"""
"""Of a command that was refused nothing is lost. One that forgot somebody has no user."""

COUNT_LOST: Final = f"SELECT count(*), coalesce(sum(user.key IS NULL), 0) {_LOST}"
LOST_COMMANDS: Final = f"""
SELECT command.seq, command.time_us, user.name, command.app, command.id {_LOST}
AND user.key IS NOT NULL ORDER BY command.seq LIMIT ?
"""

LOAD_RULES: Final = """
SELECT rule.name, rule.key, rule.body, (
    SELECT root.body ->> 'time_zone' FROM item AS root
    WHERE root.user_key = rule.user_key AND root.kind = 'model' ORDER BY root.seq DESC LIMIT 1
) FROM (
    SELECT user.name, item.user_key, item.key, item.body, max(item.seq)
    FROM user CROSS JOIN item ON item.user_key = user.key AND item.kind = 'rule'
    GROUP BY item.user_key, item.key
) AS rule
"""
"""With the time zone of each rule's person."""

OUTBOX: Final = """
SELECT seq, n, kind, body, checksum FROM outbox
WHERE seq > ?1 AND seq <= (SELECT max(seq) FROM (SELECT seq FROM outbox WHERE seq > ?1 ORDER BY seq, n LIMIT ?2))
ORDER BY seq, n
"""
"""The oldest entries after a sequence, those of one command never apart: they are forgotten by sequence."""

OUTBOX_OF: Final = """
SELECT seq, n, kind, body, checksum FROM outbox WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq, n
"""

FORGET_OUTBOX: Final = "DELETE FROM outbox WHERE seq <= ?"
FORGET_OUTBOX_OF: Final = "DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?))"

REMOVE_TRACES: Final = (
    # What was deleted is still in older pages of the write-ahead log, and between the cells of pages that were split.
    "VACUUM",
    "PRAGMA wal_checkpoint(TRUNCATE)",
)
TRACES_ARE_REMOVED: Final = """
UPDATE meta SET value = 0 WHERE name = 'traces' AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.seq <= meta.value)
"""
"""Entries that take down a forgotten person's schedules name the person until they have left."""

KEEPS_TRACES: Final = """
SELECT EXISTS (SELECT 1 FROM meta JOIN outbox ON outbox.seq <= meta.value WHERE meta.name = 'traces')
"""

READ_TRACES: Final = "SELECT value FROM meta WHERE name = 'traces'"
