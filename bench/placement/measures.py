"""What is counted while the simulation runs."""

from collections import Counter, defaultdict
from collections.abc import Collection

from bench.placement.rates import DAY_S


class Spells:
    """Adds up how long something lasts, by partition."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self.lengths: list[float] = []

    def set(self, number: int, now: float, is_so: bool) -> None:
        if is_so:
            self._since.setdefault(number, now)
        elif number in self._since:
            length = now - self._since.pop(number)
            if length > 0:
                self.lengths.append(length)

    def close(self, now: float) -> None:
        for number in list(self._since):
            self.set(number, now, False)


class Measures:
    """Balance by day, moves, gaps, double primaries. Times in seconds, people by partition."""

    def __init__(self, people: list[int], replicas: int) -> None:
        self.people = people
        self.replicas = replicas
        self.balance: defaultdict[int, float] = defaultdict(float)
        """By day: the largest number of copies on a host, divided by the mean."""
        self.people_balance: defaultdict[int, float] = defaultdict(float)
        self.primary_balance: defaultdict[int, float] = defaultdict(float)
        self.events: Counter[str] = Counter()
        self.moves: Counter[str] = Counter()
        """By cause: copies that were placed on a host that had none."""
        self.ideal: Counter[str] = Counter()
        """By cause: copies that the hosts had that went, or have that came."""
        self.copied = 0
        """Copies that were made whole, from a snapshot."""
        self.unanswered = Spells()
        self.by_standby = Spells()
        self.double = Spells()
        """Two hosts believe to be the primary, wherever they are."""
        self.double_heard = Spells()
        """Two of those that hear the bus do: nobody is cut off, or not any more."""

    def placed(self, now: float, placement: list[tuple[str, ...]], hosts: int) -> None:
        day = int(now // DAY_S)
        copies: Counter[str] = Counter()
        persons: Counter[str] = Counter()
        primaries: Counter[str] = Counter()
        for number, placed in enumerate(placement):
            primaries[placed[0]] += 1
            for host in placed:
                copies[host] += 1
                persons[host] += self.people[number]
        for found, counts in (
            (self.balance, copies),
            (self.people_balance, persons),
            (self.primary_balance, primaries),
        ):
            found[day] = max(found[day], max(counts.values()) * hosts / counts.total())

    def served(self, number: int, now: float, placed: tuple[str, ...], answering: Collection[str]) -> None:
        self.unanswered.set(number, now, not answering)
        self.by_standby.set(number, now, bool(answering) and placed[0] not in answering)

    def believed(self, number: int, now: float, primaries: int, of_those_that_hear: int) -> None:
        self.double.set(number, now, primaries > 1)
        self.double_heard.set(number, now, of_those_that_hear > 1)

    def close(self, now: float) -> None:
        for spells in (self.unanswered, self.by_standby, self.double, self.double_heard):
            spells.close(now)
