"""Whose turn it is to leave a partition, and up to where all has left."""

from actors.effects.backlog import Backlog


def backlog(*added: tuple[int, str]) -> Backlog:
    made = Backlog()
    for seq, user in added:
        made.add(user, seq)
        made.read_seq = seq
    return made


def test_nothing_has_left_of_nothing() -> None:
    """All up to what has been read has left."""
    empty = backlog()
    assert (empty.left_seq, empty.take(), len(empty)) == (0, None, 0)
    empty.read_seq = 7
    assert empty.left_seq == 7


def test_people_take_turns_and_each_keeps_the_order() -> None:
    """One command of each person at a time; the next is behind all who wait."""
    waiting = backlog((1, "alice"), (2, "alice"), (3, "bob"), (4, "carol"))
    assert (waiting.take(), waiting.take()) == ("alice", "bob")
    waiting.done("alice")
    assert (waiting.take(), waiting.take(), waiting.take()) == ("carol", "alice", None)
    assert waiting.first("alice", 5) == [2]


def test_who_waits_holds_back_the_mark_and_nobody_else() -> None:
    """Others leave beyond it, and are named one by one."""
    waiting = backlog((1, "alice"), (2, "bob"), (3, "alice"), (4, "bob"))
    assert (waiting.take(), waiting.take()) == ("alice", "bob")
    waiting.done("bob")
    assert waiting.take() == "bob"
    waiting.done("bob")
    assert (waiting.left_seq, waiting.left, len(waiting)) == (0, [2, 4], 2)
    waiting.done("alice")
    assert waiting.left_seq == 2
    assert waiting.take() == "alice"
    waiting.done("alice")
    assert (waiting.left_seq, len(waiting)) == (4, 0)
