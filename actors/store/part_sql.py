"""The statements that forget a part of a model, and that write anew what is left. See `actors.store.sql`.

The tables `gone` and `gone_command` are temporary, and so are in memory.
"""

from typing import Final

BEGIN_GONE: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS gone (component_no, seq, n, derived, PRIMARY KEY (component_no, seq, n))",
    "CREATE TEMP TABLE IF NOT EXISTS gone_command (seq INTEGER PRIMARY KEY)",
    "DELETE FROM gone",
    "DELETE FROM gone_command",
)
CLEAR_GONE: Final = "DELETE FROM gone"

_NUMBERS: Final = """
SELECT body ->> 'number' FROM item WHERE user_key = :key AND kind = 'component' AND body IS NOT NULL
"""
"""Of all versions of all of a person's components."""

_CHOOSE: Final = """
INSERT INTO gone SELECT component_no, seq, n, 0 FROM evidence WHERE component_no IN ({})
"""
CHOOSE_GONE: Final = _CHOOSE.format(_NUMBERS)
CHOOSE_GONE_OF_COMPONENT: Final = _CHOOSE.format(f"{_NUMBERS} AND key = :path")

_HELD: Final = "coalesce(body ->> 'time', creation_us / 1e6)"
CONDITIONS: Final = {
    "seq": "seq = :seq",
    "n": "n = :n",
    "source": "body ->> 'source' = :source",
    "accepted_from": "creation_us >= :accepted_from",
    "accepted_until": "creation_us < :accepted_until",
    "held_from": f"{_HELD} >= :held_from",
    "held_until": f"{_HELD} < :held_until",
}
"""By member of `model.changes.Part`."""

CHOOSE_DERIVED: Final = """
INSERT OR IGNORE INTO gone SELECT consequence.component_no, consequence.seq, consequence.n, 1
FROM gone CROSS JOIN consequence ON user_key = :key AND grantee = '' AND cause_no = gone.component_no
    AND cause_seq = gone.seq AND cause_n = gone.n
JOIN evidence ON evidence.component_no = consequence.component_no AND evidence.seq = consequence.seq
    AND evidence.n = consequence.n
"""
"""One step from causes to what rules have told because of them, in the same model."""

COUNT_GONE: Final = "SELECT count(*) FROM gone WHERE derived = :derived"
COUNT_WITHDRAWALS_GONE: Final = "SELECT count(*) FROM withdrawal JOIN gone USING (component_no, seq, n)"

_RULES: Final = """
user_key = :key AND kind = 'rule' AND key > :below AND key < :behind AND instr(substr(key, length(:below) + 1), '/') = 0
"""
_PERMISSIONS: Final = """
user_key = :key AND kind = 'component_permission' AND substr(key, instr(key, '/') + 1) = :path
"""
_DEFINITIONS: Final = "user_key = :key AND kind = 'component' AND key = :path"
OF_COMPONENT: Final = {"components": _DEFINITIONS, "rules": _RULES, "permissions": _PERMISSIONS}
"""Which items are a component's, by what they are called in `schemas.replies.PartSize`."""

COUNT_ITEMS: Final = "SELECT count(DISTINCT key) FROM item WHERE {}"
CHOOSE_COMMANDS_OF_ITEMS: Final = "INSERT OR IGNORE INTO gone_command SELECT seq FROM item WHERE {}"
DELETE_ITEMS: Final = "DELETE FROM item WHERE {}"

CHOOSE_COMMANDS_GONE: Final = (
    "INSERT OR IGNORE INTO gone_command SELECT seq FROM gone",
    "INSERT OR IGNORE INTO gone_command SELECT at_seq FROM withdrawal JOIN gone USING (component_no, seq, n)",
)
OUTCOMES: Final = """
SELECT seq, app, time_us, outcome, seq IN (SELECT seq FROM gone_command) FROM command
WHERE user_key = ? AND outcome IS NOT NULL
"""
REDUCE_COMMANDS: Final = """
UPDATE command SET app = '', id = '', body = NULL WHERE user_key = ? AND seq IN (SELECT seq FROM gone_command)
"""
REDUCE_COMMAND: Final = "UPDATE command SET app = '', id = '', body = NULL, outcome = ? WHERE seq = ?"

DELETE_FIRINGS: Final = """
DELETE FROM outbox WHERE kind = 'fired' AND body ->> 'user' = :user AND seq IN (SELECT seq FROM gone_command)
"""
_OF_GONE: Final = """
EXISTS (SELECT 1 FROM gone WHERE gone.component_no = {0}.component_no AND gone.seq = {0}.seq AND gone.n = {0}.n)
"""
DELETE_GONE: Final = (
    f"DELETE FROM withdrawal WHERE {_OF_GONE.format('withdrawal')}",  # noqa: S608 - ours
    f"DELETE FROM held WHERE {_OF_GONE.format('held')}",  # noqa: S608 - ours
    f"DELETE FROM evidence WHERE {_OF_GONE.format('evidence')}",  # noqa: S608 - ours
    f"DELETE FROM consequence WHERE user_key = :key AND {_OF_GONE.format('consequence')}",  # noqa: S608 - ours
    """
    DELETE FROM consequence WHERE user_key = :key AND grantee = '' AND EXISTS (
        SELECT 1 FROM gone
        WHERE gone.component_no = cause_no AND gone.seq = cause_seq AND gone.n = cause_n
    )
    """,
)

FIRING_COMPONENTS: Final = """
SELECT key, seq, body FROM item
WHERE user_key = :key AND kind = 'component' AND body ->> 'number' IN (SELECT component_no FROM gone) AND EXISTS (
    SELECT 1 FROM item AS rule
    WHERE rule.user_key = :key AND rule.kind = 'rule' AND rule.key > item.key || '/' AND rule.key < item.key || '0'
)
"""
"""All versions of components that lose evidence and had rules."""

LISTING_ITEMS: Final = """
SELECT kind, key, seq, body FROM item
WHERE user_key = ? AND kind IN ('view', 'component', 'decision') AND body IS NOT NULL
"""
SET_ITEM_BODY: Final = "UPDATE item SET body = ? WHERE user_key = ? AND kind = ? AND key = ? AND seq = ?"
DROP_STRUCTURE: Final = "DELETE FROM structure WHERE user_key = ?"

TABLES: Final = {
    "item": ("kind", "key", "seq", "time_us", "body"),
    "evidence": ("component_no", "seq", "n", "kind", "creation_us", "useby", "body"),
    "withdrawal": ("component_no", "seq", "n", "at_seq", "at_us", "body"),
    "consequence": ("grantee", "cause_no", "cause_seq", "cause_n", "seq", "n", "component_no", "body"),
    "command": ("seq", "time_us", "hash", "app", "id", "outcome", "body"),
}
"""What is written anew of a person: all columns, but for the person's key, digests of the log, and eras."""

_KEYED: Final = frozenset({"item", "consequence", "command"})
"""Tables with the person's key."""

_BEHIND: Final = {
    "item": ("seq, kind, key", "user_key = :key AND (seq, kind, key) > (:m0, :m1, :m2)"),
    "evidence": ("rowid", f"rowid > :m0 AND +component_no IN ({_NUMBERS})"),
    "withdrawal": (
        "at_seq, component_no, seq, n",
        f"component_no IN ({_NUMBERS}) AND (at_seq, component_no, seq, n) > (:m0, :m1, :m2, :m3)",
    ),
    "consequence": (
        "seq, n, grantee, cause_no, cause_seq, cause_n",
        "user_key = :key AND (seq, n, grantee, cause_no, cause_seq, cause_n) > (:m0, :m1, :m2, :m3, :m4, :m5)",
    ),
    "command": ("seq", "user_key = :key AND seq > :m0 AND app != :own"),
}
PAGES: Final = {
    table: f"SELECT {', '.join(TABLES[table])}, {mark} FROM {table} WHERE {where} ORDER BY {mark}"  # noqa: S608 - ours
    for table, (mark, where) in _BEHIND.items()
}
"""The rows of each table behind a mark, in the order in which they were added; behind each row is its own mark."""

FIRST_MARKS: Final[dict[str, tuple[int | str, ...]]] = {
    "item": (0, "", ""),
    "evidence": (0,),
    "withdrawal": (0, 0, 0, 0),
    "consequence": (0, 0, "", 0, 0, 0),
    "command": (0,),
}

HELD_ORDERS: Final = f"SELECT DISTINCT component_no FROM held WHERE component_no IN ({_NUMBERS})"  # noqa: S608 - ours

CAUSES: Final = "SELECT root, seq, count FROM cause WHERE user_key = ? ORDER BY seq"

FORGET_STATE: Final = (
    f"DELETE FROM withdrawal WHERE component_no IN ({_NUMBERS})",  # noqa: S608 - ours
    f"DELETE FROM held WHERE component_no IN ({_NUMBERS})",  # noqa: S608 - ours
    f"DELETE FROM evidence WHERE component_no IN ({_NUMBERS})",  # noqa: S608 - ours
    "DELETE FROM item WHERE user_key = :key",
    "DELETE FROM structure WHERE user_key = :key",
    "DELETE FROM cause WHERE user_key = :key",
    "DELETE FROM consequence WHERE user_key = :key",
    "DELETE FROM command WHERE user_key = :key",
)
"""All that is replaced by what has been said anew."""


def insertion(table: str) -> tuple[str, int]:
    """Write the statement that puts a row of a person back, and say how many values of the row it takes.

    Behind the row's values come the person's key, where the table has it, and of a command the era.
    """
    columns = list(TABLES[table])
    taken = len(columns)
    columns += ["user_key"] * (table in _KEYED) + ["era"] * (table == "command")
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", taken  # noqa: S608


FORGET_BODY_DIGESTS: Final = "UPDATE command SET body = NULL WHERE user_key = ?"
"""They were made with another key, and would tell a repeat from its first."""

READ_CHUNKS: Final = "SELECT seq, time_us, hash, id, digest, body FROM restated WHERE user = ? ORDER BY number"
READ_ATTEMPT: Final = "SELECT attempt, digest FROM restated WHERE user = ? ORDER BY number"
PUT_CHUNK: Final = """
INSERT INTO restated (user, number, attempt, seq, time_us, hash, id, digest, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
DELETE_CHUNKS: Final = "DELETE FROM restated WHERE user = ?"
PUT_REWRITING: Final = "INSERT OR REPLACE INTO rewriting (user, seq, kept) VALUES (?, ?, ?)"
READ_REWRITING: Final = "SELECT user, seq, kept FROM rewriting ORDER BY seq"
IS_REWRITTEN: Final = "SELECT EXISTS (SELECT 1 FROM rewriting WHERE user = ?)"
END_REWRITING: Final = "DELETE FROM rewriting WHERE user = ? AND seq = ?"
LEAVES: Final = "SELECT EXISTS (SELECT 1 FROM outbox WHERE seq <= ? AND body ->> 'user' = ?)"
USER_KEY: Final = "SELECT key FROM user WHERE name = ?"
REDUCED_COMMANDS: Final = """
SELECT command.seq FROM command JOIN user ON user.key = user_key WHERE user.name = ? AND app = '' AND id = ''
"""
