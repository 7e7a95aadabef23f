"""The asks that a partition has answered and not yet written, counted in memory.

An ask that comes again within the minute finds its `Question` by its bytes: one step in a dict, and a count. Each
minute the questions are folded into the rows of their people (`take`), and those rows are given out to be written that
say something new, such as an app or a component that was not written in the last quarter of an hour. What only goes on
waits for that long, so a person who is asked the same all day fills four messages an hour.

Refusals are given out at once; one that comes again counts like any other ask.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from model.asked.about import Heading, row_of
from schemas.asked import AskedRow
from schemas.errors import Code, Refusal
from schemas.paths import Path
from schemas.queries import Query
from schemas.replies import ComponentFailure

REPEATS_WAIT_S: Final = 15 * 60.0
"""Seconds that rows may wait which say nothing new."""

MAX_QUESTIONS: Final = 1024
"""Questions of a partition before they are folded early: apps may send the same ask in ever new words."""

MAX_ROWS: Final = 2048
"""Rows of a partition before all is written early, about 500 bytes each: a megabyte for each of 64 partitions."""

MOST_ROWS: Final = 2 * MAX_ROWS
"""Rows of a partition when nothing can be written: others are no longer counted one by one, but as `unrecorded`."""

MAX_REFUSED_PLACES: Final = 64
"""Places of a person where one app is refused that are told apart. An app may name ever new places to push out of the
record what it did before: further ones count as one."""

URGENT_A_MINUTE: Final = 4
"""Times a minute that refusals of a person are given out at once; further ones wait for the end of the minute."""

QuestionKey = tuple[object, bytes]
"""Who asks about whom, and the bytes of the query."""


class Question(msgspec.Struct, eq=False):
    """An ask, and how often it has been answered since the last fold."""

    user: str
    headings: tuple[Heading, ...]
    first: float
    last: float
    count: int = 0
    query: Query | None = None
    """What was asked: the same bytes need not be read again. None for what is large."""
    forgotten: bool = False
    """The person it is about has been forgotten since it was asked."""


class _Row(msgspec.Struct):
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    is_new: bool = True
    """Nothing of it has been written lately."""


class _Person(msgspec.Struct):
    rows: dict[Heading, _Row] = {}
    written: float = 0.0
    urgent_left: int = URGENT_A_MINUTE


Counted = tuple[str, list[AskedRow]]
"""A person, and what is to be written of them."""


class Tally:
    """Counts the asks of one partition. Times are seconds since 1970."""

    def __init__(self) -> None:
        self.questions: dict[QuestionKey, Question] = {}
        """Those since the last fold. Whoever answers one at once counts there: `count`, `last`."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when something is counted that was not there, so that whoever writes looks at it."""
        self.unrecorded = 0
        """Asks that found no room since this was looked at."""
        self._people: dict[str, _Person] = {}
        self._rows = 0
        self._urgent: set[str] = set()
        self._late: set[Question] = set()

    @property
    def is_empty(self) -> bool:
        return not (self.questions or self._people)

    @property
    def waits(self) -> bool:
        """Whether something is counted that is not written."""
        return bool(self.questions) or any(map(_counted, self._people.values()))

    @property
    def is_urgent(self) -> bool:
        """Whether something is to be written at once: a refusal, or because there is no more room."""
        return bool(self._urgent) or self._rows >= MAX_ROWS

    def ask(self, key: QuestionKey, question: Question) -> Question:
        """Begin to count a question that is not among `questions`, and give it."""
        if len(self.questions) >= MAX_QUESTIONS:
            self._fold()
        self.questions[key] = question
        self.on_change()
        return question

    @contextmanager
    def answering(self, question: Question, now: float) -> Iterator[None]:
        """Count a refusal of what is answered in the block, which may last. Who has an answer has to `count` it."""
        self._late.add(question)
        try:
            yield
        except Refusal as refusal:
            self.refuse(question, refusal.code, now)
            raise
        finally:
            self._late.discard(question)

    def count(self, question: Question, failures: Sequence[ComponentFailure], now: float) -> None:
        """Count an answer, in which some components may have failed. For what was not answered at once, and those."""
        failed = {tuple(failure.path): failure.error.code for failure in failures}
        self._add_all(question, [heading for heading in question.headings if heading.path not in failed], now)
        if failed and question.headings:
            self._add_all(question, _failed_headings(question.headings, failed), now)

    def refuse(self, question: Question, code: Code, now: float) -> None:
        """Count a refusal."""
        self._add_all(question, [heading._replace(code=code.value) for heading in question.headings], now)

    def refuse_one(self, user: str, heading: Heading, now: float) -> None:
        """Count a command that was refused. Its heading has the code."""
        self._add_refused(user, heading, now)
        self.on_change()

    def forget(self, user: str) -> None:
        """Drop all that is about a person."""
        person = self._people.pop(user, None)
        self._rows -= len(person.rows) if person else 0
        self._urgent.discard(user)
        for question in self._late:
            question.forgotten |= question.user == user
        for key, question in list(self.questions.items()):
            if question.user == user:
                question.forgotten = True
                del self.questions[key]

    def take(self, now: float) -> list[Counted]:
        """Give what is to be written now that a minute is over."""
        self._fold()
        taken = [(user, self._written(person, now)) for user, person in self._people.items() if _is_due(person, now)]
        for person in self._people.values():
            person.urgent_left = URGENT_A_MINUTE
        self._urgent.clear()
        self._let_go(now)
        return taken

    def take_urgent(self, now: float) -> list[Counted]:
        """Give what is to be written at once: of those who were refused something, or all if there is no more room."""
        if self._rows >= MAX_ROWS:
            return self.take_all(now)
        self._fold()
        urgent, self._urgent = self._urgent, set()
        for user in urgent:
            self._people[user].urgent_left -= 1
        return [(user, self._written(self._people[user], now)) for user in sorted(urgent)]

    def take_all(self, now: float) -> list[Counted]:
        """Give all that is not written, and remember nothing."""
        self._fold()
        taken = [(user, self._written(person, now)) for user, person in self._people.items() if _counted(person)]
        self._people, self._rows = {}, 0
        self._urgent.clear()
        return taken

    def rows_about(self, user: str) -> list[AskedRow]:
        """Give what is not yet written about a person, and leave it."""
        self._fold()
        person = self._people.get(user)
        return [] if person is None else _rows(person)

    def _fold(self) -> None:
        for question in self.questions.values():
            if question.count:
                for heading in question.headings:
                    self._add(question.user, heading, question.count, question.first, question.last)
        self.questions.clear()

    def _add_all(self, question: Question, headings: Iterable[Heading], now: float) -> None:
        if question.forgotten:
            return
        for heading in headings:
            if heading.code is None:
                self._add(question.user, heading, 1, now, now)
            else:
                self._add_refused(question.user, heading, now)
        self.on_change()

    def _add_refused(self, user: str, heading: Heading, now: float) -> None:
        person = self._people.get(user)
        if person is not None and heading not in person.rows:
            refused = sum(one.app == heading.app and one.code is not None for one in person.rows)
            if refused >= MAX_REFUSED_PLACES:
                heading = heading._replace(path=(), kind="model")
        row = self._add(user, heading, 1, now, now)
        if row is not None and row.is_new and self._people[user].urgent_left:
            self._urgent.add(user)

    def _add(self, user: str, heading: Heading, count: int, first: float, last: float) -> _Row | None:
        """Count; give the row, or None if there is no room for it."""
        person = self._people.get(user)
        row = None if person is None else person.rows.get(heading)
        if row is None:
            if self._rows >= MOST_ROWS:
                self.unrecorded += count
                return None
            person = self._people.setdefault(user, _Person())
            row = person.rows[heading] = _Row()
            self._rows += 1
        row.first = min(row.first, first) if row.count else first
        row.last = max(row.last, last)
        row.count += count
        return row

    def _written(self, person: _Person, now: float) -> list[AskedRow]:
        rows = _rows(person)
        person.written = now
        for row in person.rows.values():
            if row.count:
                row.count, row.is_new = 0, False
        return rows

    def _let_go(self, now: float) -> None:
        """Forget what was asked too long ago to know it again."""
        for user, person in list(self._people.items()):
            old = [
                heading for heading, row in person.rows.items() if not row.count and row.last <= now - REPEATS_WAIT_S
            ]
            for heading in old:
                del person.rows[heading]
            self._rows -= len(old)
            if not person.rows:
                del self._people[user]


def _failed_headings(headings: Sequence[Heading], failed: Mapping[Path, Code]) -> list[Heading]:
    """Heading what was refused of an ask: a component each, under the right of the whole ask if it was not listed."""
    grants = {heading.path: heading.grant for heading in headings}
    return [
        headings[0]._replace(path=path, kind="component", grant=grants.get(path, headings[0].grant), code=code.value)
        for path, code in failed.items()
    ]


def _is_due(person: _Person, now: float) -> bool:
    counted = _counted(person)
    return bool(counted) and (any(row.is_new for row in counted) or now - person.written >= REPEATS_WAIT_S)


def _counted(person: _Person) -> list[_Row]:
    return [row for row in person.rows.values() if row.count]


def _rows(person: _Person) -> list[AskedRow]:
    return [row_of(heading, row.count, row.first, row.last) for heading, row in person.rows.items() if row.count]
