"""What a read costs.

Goal: whatever is asked of a component, the shard looks at what it gives back and not at what else there is. Method:
every kind of `Read` that an ask, an export or a withdrawal plans is explained by SQLite: searches of an index in its
order only, no scan, no sorting. What the plan does not show, that a bound is tight, is shown by counting the steps of
the virtual machine over 100,000 pieces and over 100.
"""

import itertools
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.store import sql, sql_following, sql_times
from actors.store.evidence_sql import evidence_part_query, evidence_query
from model.caches import Caches
from model.queries import answer
from model.reads import Read
from schemas.apps import ADMIN_APP
from schemas.commands import MakeModel
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.evidence import EvidenceFilter, FilterName
from schemas.queries import Ask
from tests.actors.histories import START_US
from tests.model.applying import apply

MANY, FEW = 100_000, 100
HALVINGS = 10
"""A sequence is found by its time in so many steps more among many than among few, 1,024 times as many at most."""

STEPS_OF_A_HALVING = 6
"""In tens, as `steps_of` counts."""

HALVING = (
    "SCALAR SUBQUERY",
    "CORRELATED SCALAR",
    "CO-ROUTINE search",
    "SETUP",
    "SCAN CONSTANT ROW",
    "RECURSIVE STEP",
    "SCAN search",
)
"""How SQLite tells of that, beside its searches."""

COMPONENT, OTHER = 1, 2
LISTED = ("USING INDEX held", "CREATE BLOOM FILTER")
"""What lies too far ahead, which is gone through once, is listed by these steps."""

END = 10**9


def shard(pieces: int) -> sqlite3.Connection:
    """A shard with so many pieces of one component, in the midst of as many of another; some are withdrawn."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(sql.SCHEMA)
    seqs = range(1, 2 * pieces + 1)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO command VALUES (?, ?, ?, 1, 'probe', ?, NULL, NULL, NULL, 0)",
        ((seq, START_US + seq, seq, str(seq)) for seq in seqs),
    )
    connection.executemany(
        "INSERT INTO evidence VALUES (?, ?, 0, ?, ?, NULL, '{}')",
        ((COMPONENT if seq % 2 else OTHER, seq, _kind(seq), START_US + seq) for seq in seqs),
    )
    connection.execute("INSERT INTO held SELECT component_no, creation_us / 1e6, seq, n, kind FROM evidence")
    connection.executemany(
        "INSERT INTO withdrawal VALUES (?, ?, 0, ?, ?, '{}')",
        ((COMPONENT, seq, seq + 1, START_US + seq + 1) for seq in seqs if seq % 20 == 1),
    )
    connection.execute("COMMIT")
    return connection


def _kind(seq: int) -> int:
    return {3: 1, 5: 2}.get(seq % 50, 0)


def every_read() -> list[Read]:
    """Reads with every combination of bounds, in the order of acceptance and in that of holding."""
    return [*_reads_by_acceptance(), *_reads_by_holding()]


def _reads_by_holding() -> list[Read]:
    options: dict[str, list[Any]] = {
        "held_from": [None, (START_US + 10) / 1e6],
        "held_until": [None, (START_US + 150) / 1e6],
        "until_us": [None, START_US + 150],
        "since_us": [None, START_US + 20],
        "kind": [None, "plain", "goal", "correction"],
        "after": [None, (15, 0)],
        "unexpired_at": [None, 1.0],
        "withdrawn": ["none", "left_out", "marked"],
        "newest": [None, 10],
        "count_only": [False, True],
        "held_order": [False, True],
    }
    reads = [
        Read(component_no=COMPONENT, seq_max=END, limit=10, by_held=True, **dict(zip(options, chosen, strict=True)))
        for chosen in itertools.product(*options.values())
    ]
    held = (START_US + 15) / 1e6
    return [read if read.after is None else msgspec.structs.replace(read, after_held=held) for read in reads]


def _reads_by_acceptance() -> list[Read]:
    options: dict[str, list[Any]] = {
        "until_us": [None, START_US + 150],
        "since_us": [None, START_US + 20],
        "kind": [None, "plain", "goal", "correction"],
        "after": [None, (5, 0)],
        "unexpired_at": [None, 1.0],
        "withdrawn": ["none", "left_out", "marked"],
        "newest": [None, 10],
        "count_only": [False, True],
        "held_until": [None, (START_US + 150) / 1e6],
        "held_order": [False, True],
    }
    return [
        Read(component_no=COMPONENT, seq_max=END, limit=10, **dict(zip(options, chosen, strict=True)))
        for chosen in itertools.product(*options.values())
    ]


@pytest.fixture(scope="module")
def few() -> sqlite3.Connection:
    """A shard without statistics, as all are: nothing ever analyzes one."""
    return shard(FEW)


def test_every_read_is_a_search_in_order(few: sqlite3.Connection) -> None:
    """No scan, no sorting; of goals and corrections their own index."""
    for read in every_read():
        statement, values = evidence_query(read)
        steps = [row[3] for row in few.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        searches = [step for step in steps if not step.startswith((*HALVING, "LIST SUBQUERY"))]
        assert searches, steps
        assert all(step.startswith(("SEARCH", *LISTED)) for step in searches), (read, steps)
        (evidence,) = [step for step in searches if step.startswith("SEARCH evidence ")]
        if read.by_held and read.held_order:
            assert "INDEX evidence_of_component (component_no=? AND seq=? AND n=?)" in evidence, steps
            (held,) = [step for step in searches if step.startswith("SEARCH held ")]
            wanted = {"goal": "INDEX held_goals", "correction": "INDEX held_corrections"}
            is_bounded = read.held_from is not None or read.held_until is not None or read.after is not None
            assert f"USING {wanted.get(read.kind or '', 'PRIMARY KEY')} (component_no=?" in held, steps
            assert "held" in held.partition("component_no=?")[2] or not is_bounded, steps
            continue
        wanted = {"goal": "evidence_of_goals", "correction": "evidence_of_corrections"}
        assert f"INDEX {wanted.get(read.kind or '', 'evidence_of_component')} (component_no=?" in evidence, steps


def test_every_part_of_a_read_is_a_search_in_order(few: sqlite3.Connection) -> None:
    """As a read at once, and nothing is sorted; then each piece that is given is looked up by its row."""
    for read in every_read():
        if read.count_only:
            continue
        for before in (None, (150, 0)) if read.newest else (None,):
            before_held = None if before is None or not read.by_held else (START_US + 150) / 1e6
            part = msgspec.structs.replace(read, before=before, before_held=before_held)
            statement, values = evidence_part_query(part, 1000)
            steps = [row[3] for row in few.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert not [step for step in steps if "TEMP B-TREE" in step], (part, steps)
            searches = [step for step in steps if step.startswith("SEARCH evidence ")]
            if read.by_held and read.held_order:
                (held,) = [step for step in steps if step.startswith("SEARCH held ")]
                assert "(component_no=?" in held
                assert "(component_no=? AND seq=? AND n=?)" in searches.pop(0)
            assert [step for step in searches if "(component_no=?" in step][1:] == [], (part, steps)
            assert searches[-1] == "SEARCH evidence USING INTEGER PRIMARY KEY (rowid=?)", steps
            scans = [step for step in steps if step.startswith("SCAN")]
            assert all(step.startswith(("SCAN chosen", "SCAN (subquery", *HALVING)) for step in scans), (part, steps)


def test_the_reads_of_every_ask_are_among_them() -> None:
    """Whatever the resolver, the filter and the extras, what an ask plans is a read of the kinds looked at here."""
    names: list[FilterName] = ["all", "last1", "last10", "goal", "since_time", "recent_count"]
    filters = [EvidenceFilter(name=name, since_time=0.0, recent_count=5) for name in names]
    known = {_shape(read) for read in every_read()}
    for resolver, one, include, explain in itertools.product(
        ("default", "goal", "recent", "mean"), filters, (False, True), (False, True)
    ):
        query = Ask(resolver=resolver, evidence_filter=one, include_evidence=include, explain=explain)
        reads = next(answer(_model(), Caches(), "llum", query, 1.0))
        assert isinstance(reads, list)
        assert {_shape(read) for read in reads} <= known


def _shape(read: Read) -> tuple[Any, ...]:
    return (
        read.until_us is None,
        read.since_us is None,
        read.kind,
        read.after is None,
        read.unexpired_at is None,
        read.withdrawn,
        read.newest is None,
        read.count_only,
    )


def _model() -> Any:
    definition = ModelDefinition(
        contexts=[ContextDefinition(path=[], components=[ComponentDefinition(name="x", value_type="number")])]
    )
    return apply(None, "alice", ADMIN_APP, MakeModel(id="m", definition=definition), 1, START_US).model


def steps_of(connection: sqlite3.Connection, read: Read) -> int:
    """Count the steps of SQLite's virtual machine, in tens."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    statement, values = evidence_query(read)
    connection.set_progress_handler(count, 10)
    try:
        assert connection.execute(statement, values).fetchall()
    finally:
        connection.set_progress_handler(None, 0)
    return taken


def test_the_same_answer_costs_the_same_among_many() -> None:
    """Of 100,000 pieces as of 100: bounds are tight, not only indexed; only a time takes a few steps more to find."""
    many, few_pieces = shard(MANY), shard(FEW)
    for withdrawn in ("none", "left_out", "marked"):
        by_held = (_held_at, _held_goal, _period_of_holding, _untimed_at)
        for make in (_newest, _since, _since_page, _page, _goals, _corrections, _as_of, *by_held):
            dear, cheap = steps_of(many, make(MANY, withdrawn)), steps_of(few_pieces, make(FEW, withdrawn))
            to_find = HALVINGS * STEPS_OF_A_HALVING if make in (_since, _since_page, _as_of, _untimed_at) else 0
            assert dear <= cheap * 1.2 + 5 + to_find, (make.__name__, withdrawn, dear, cheap)


def _newest(_pieces: int, withdrawn: Any) -> Read:
    return Read(component_no=COMPONENT, seq_max=END, newest=10, limit=10, withdrawn=withdrawn)


def _since(pieces: int, withdrawn: Any) -> Read:
    since_us = START_US + 2 * pieces - 20
    return Read(component_no=COMPONENT, seq_max=END, since_us=since_us, limit=2000, withdrawn=withdrawn)


def _since_page(pieces: int, withdrawn: Any) -> Read:
    return msgspec.structs.replace(_since(pieces, withdrawn), after=(3, 0))


def _page(_pieces: int, withdrawn: Any) -> Read:
    return Read(component_no=COMPONENT, seq_max=END, after=(7, 0), limit=10, withdrawn=withdrawn)


def _goals(_pieces: int, withdrawn: Any) -> Read:
    return Read(component_no=COMPONENT, seq_max=END, kind="goal", newest=1, limit=1, withdrawn=withdrawn)


def _corrections(_pieces: int, withdrawn: Any) -> Read:
    return Read(component_no=COMPONENT, seq_max=END, kind="correction", newest=1, limit=1, withdrawn=withdrawn)


def _as_of(pieces: int, withdrawn: Any) -> Read:
    until_us = START_US + pieces
    return Read(component_no=COMPONENT, seq_max=END, until_us=until_us, newest=10, limit=10, withdrawn=withdrawn)


def _held_at(pieces: int, withdrawn: Any, **bounds: Any) -> Read:
    """What held in the midst of all, whatever was accepted since."""
    read = Read(
        component_no=COMPONENT,
        seq_max=END,
        by_held=True,
        held_until=(START_US + pieces) / 1e6,
        held_order=True,
        kind="plain",
        newest=1,
        limit=1,
        unexpired_at=1.0,
        withdrawn=withdrawn,
    )
    return msgspec.structs.replace(read, **bounds)


def _held_goal(pieces: int, withdrawn: Any) -> Read:
    return _held_at(pieces, withdrawn, kind="goal")


def _untimed_at(pieces: int, withdrawn: Any) -> Read:
    return _held_at(pieces, withdrawn, held_order=False)


def _period_of_holding(pieces: int, withdrawn: Any) -> Read:
    bounds: dict[str, Any] = {"held_from": (START_US + pieces - 20) / 1e6, "newest": None, "limit": 2000}
    return _held_at(pieces, withdrawn, **bounds)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (sql_times.TIME_AT_SEQ, (5,)),
        (sql_times.LAST_SEQ_UNTIL, (START_US,)),
        (sql.KNOWN_COMMANDS, (3, "[1]")),
        (sql.COMMAND_HASHES, (0, 5)),
        (sql.LOAD_USER, ("alice",)),
        (sql.LOAD_ITEMS, (1,)),
        (sql.LOAD_CAUSES, (1,)),
        (sql.OUTBOX, (0, 10)),
    ],
)
def test_what_is_looked_up_is_searched(few: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> None:
    """Only the list that was given, and the oldest entries of the outbox, are gone through."""
    steps = [row[3] for row in few.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    scans = [step for step in steps if step.startswith("SCAN")]
    harmless = ("SCAN wanted", "SCAN era", "SCAN outbox USING", "SCAN (subquery", *HALVING)
    assert all(step.startswith(harmless) for step in scans), steps


@pytest.mark.parametrize(
    ("statement", "values", "bounds"),
    [
        (sql_following.FOLLOW_PIECE, (5, 0, 0, -1), "cause_seq=? AND cause_n=? AND (seq,n)>(?,?)"),
        (sql_following.FOLLOW_COMPONENT, (-1, -1, -1, -1), "(cause_seq,cause_n,seq,n)>(?,?,?,?)"),
    ],
)
def test_what_follows_is_one_range(few: sqlite3.Connection, statement: str, values: Any, bounds: str) -> None:
    """In its order, from where it is to go on; a withdrawal is looked up for each thing that is given."""
    given = (1, "", COMPONENT, *values, 10)
    steps = [row[3] for row in few.execute(f"EXPLAIN QUERY PLAN {statement}", given)]
    causes = f"(user_key=? AND grantee=? AND cause_no=? AND {bounds})"
    assert steps == [
        f"SEARCH consequence USING PRIMARY KEY {causes}",
        "SEARCH withdrawal USING PRIMARY KEY (component_no=? AND seq=? AND n=?) LEFT-JOIN",
    ]


def test_the_file_and_the_test_have_one_schema(tmp_path: Path) -> None:
    """The statements are explained on the schema that shards are made with."""
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.executescript(sql.SCHEMA)
    (version,) = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    assert version == sql.SCHEMA_VERSION
