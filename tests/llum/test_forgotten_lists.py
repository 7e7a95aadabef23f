"""Who is to be forgotten again when a backup is restored, and the lists that say so. Without a nats-server."""

import threading
from pathlib import Path

import pytest

from bus.forgotten import Forgotten, KnownForgotten, NameDigests, PartCommand, merged
from llum.backup.forgotten_since import CLOCKS_DIFFER_S, Since, forgotten_since
from llum.failures import Fault
from llum.places.forgotten_files import add_to, content_of, named_lists, read_list

NAMES = NameDigests(b"secret")
OTHERS = NameDigests(b"another")
MADE_AT = 1_000_000.0
PART = PartCommand("anna", "llum", b'{"verb":"forget_part"}', "7")
ANNA, BEN = NAMES.of("anna"), NAMES.of("ben")


def known(*several: Forgotten) -> KnownForgotten:
    return merged(several)


def test_a_digest_says_nothing_without_the_secret_and_the_name() -> None:
    """Those of two people, or of two installations, differ."""
    assert len({ANNA, BEN, OTHERS.of("anna"), OTHERS.of("ben")}) == 4
    assert "anna" not in ANNA
    assert NAMES.installation != OTHERS.installation


def test_the_newest_of_a_person_counts() -> None:
    """Of two at the same time, the one that says that it was finished."""
    begun, ended = Forgotten(ANNA, 5.0, is_finished=False), Forgotten(ANNA, 5.0)
    assert known(ended, begun, Forgotten(ANNA, 4.0)) == {ANNA: ended}


@pytest.mark.parametrize(
    ("in_backup", "elsewhere", "again", "unfinished"),
    [
        # Forgotten after the backup was made, and before.
        ([], [Forgotten(ANNA, MADE_AT + 9), Forgotten(BEN, MADE_AT - 2 * CLOCKS_DIFFER_S)], {ANNA}, set()),
        # The backup knows it: whoever is there has come again.
        ([Forgotten(ANNA, MADE_AT - 9)], [Forgotten(ANNA, MADE_AT - 9)], set(), set()),
        # Forgotten once before it, and once after it.
        ([Forgotten(ANNA, MADE_AT - 9)], [Forgotten(ANNA, MADE_AT + 9)], {ANNA}, set()),
        # While it was made, by a clock that is behind.
        ([], [Forgotten(ANNA, MADE_AT - 9)], {ANNA}, set()),
        # By a log that an earlier restore has replaced, and another one knows it since.
        ([Forgotten(ANNA, MADE_AT - 5)], [Forgotten(ANNA, MADE_AT - 50)], set(), set()),
        # The backup was made in the midst of it.
        ([Forgotten(ANNA, MADE_AT - 9, is_finished=False)], [], set(), {ANNA}),
        ([Forgotten(ANNA, MADE_AT - 9, is_finished=False)], [Forgotten(ANNA, MADE_AT + 9)], {ANNA}, set()),
    ],
)
def test_who_is_forgotten_again(
    in_backup: list[Forgotten], elsewhere: list[Forgotten], again: set[str], unfinished: set[str]
) -> None:
    """Whoever was forgotten after the backup was made, and not who has come again before that."""
    assert forgotten_since(known(*in_backup), known(*elsewhere), MADE_AT) == (again, unfinished, ())


def test_a_part_is_forgotten_again_unless_the_whole_person_is() -> None:
    """Or the backup knows it, or the person was forgotten whole since, and has come again."""
    part, person = NAMES.closed(PART, MADE_AT + 5), Forgotten(ANNA, MADE_AT + 9)
    assert forgotten_since({}, known(part), MADE_AT).parts == (part,)
    assert forgotten_since({}, known(part, person), MADE_AT) == ({ANNA}, set(), ())
    assert forgotten_since(known(part), known(part), MADE_AT) == Since()
    assert forgotten_since(known(person), known(part, person), MADE_AT) == Since()


def test_which_part_it_was_is_read_with_the_name_and_the_secret() -> None:
    """And with nothing less."""
    part = NAMES.closed(PART, MADE_AT)
    assert NAMES.opened("anna", part) == PART
    for names, user in ((NAMES, "ben"), (OTHERS, "anna")):
        with pytest.raises(ValueError, match="fail"):
            names.opened(user, part)
    assert NAMES.closed(PART, MADE_AT).which == part.which, "it is recorded once"


def test_a_list_is_added_to_once(tmp_path: Path) -> None:
    """And what others have added stays. A line that was cut off half-way is written over."""
    file = tmp_path / "forgotten.jsonl"
    add_to(file, known(Forgotten(ANNA, 1.0)), NAMES.installation)
    add_to(file, known(Forgotten(ANNA, 1.0)), NAMES.installation)
    assert content_of(file).count(b"\n") == 1
    with file.open("ab") as half:
        half.write(b'{"installation":"')
    assert read_list(content_of(file), "it", NAMES.installation) == [Forgotten(ANNA, 1.0)]
    ben, part = Forgotten(BEN, 2.0, is_finished=False), NAMES.closed(PART, 3.0)
    add_to(file, known(ben, part), NAMES.installation)
    assert read_list(content_of(file), "it", NAMES.installation) == [Forgotten(ANNA, 1.0), ben, part]


def test_two_who_add_at_once_lose_nothing(tmp_path: Path) -> None:
    """As two commands do that forget two people."""
    file, numbers = tmp_path / "forgotten.jsonl", range(8)
    adding = [
        threading.Thread(target=add_to, args=(file, known(Forgotten(NAMES.of(str(one)), 1.0)), NAMES.installation))
        for one in numbers
    ]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    there = read_list(content_of(file), "it", NAMES.installation)
    assert {one.who for one in there} == {NAMES.of(str(one)) for one in numbers}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"alice\nbob\n", "is no list of forgotten people: line 1"),
        (b"\xff\xfe\n", "is no list of forgotten people: line 1"),
        (b'{"who": "alice"}\n', "is no list of forgotten people: line 1"),
        (b"no end", "is no list of forgotten people"),
    ],
)
def test_a_mistyped_file_is_no_list(tmp_path: Path, content: bytes, why: str) -> None:
    """One line says what it must be."""
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    with pytest.raises(Fault, match=why) as caught:
        named_lists(file)
    assert "a backup, or a data folder" in (caught.value.hint or "")


def test_what_has_no_list_may_be_a_folder_of_llum_or_a_mistake(tmp_path: Path) -> None:
    """A data folder has none as long as nobody was forgotten."""
    with pytest.raises(Fault, match="has no list"):
        named_lists(tmp_path)
    with pytest.raises(Fault, match="cannot read"):
        named_lists(tmp_path / "nowhere")
    (tmp_path / "manifest.json").touch()
    assert named_lists(tmp_path) == []


def test_the_list_of_another_llum_is_refused(tmp_path: Path) -> None:
    """Its digests would fit nobody, and nobody would notice."""
    file = tmp_path / "forgotten.jsonl"
    add_to(file, known(Forgotten(OTHERS.of("anna"), 1.0)), OTHERS.installation)
    with pytest.raises(Fault, match="another llum"):
        read_list(content_of(file), str(file), NAMES.installation)
