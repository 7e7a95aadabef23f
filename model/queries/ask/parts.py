"""An ask in the making: what is planned of it, component by component."""

from typing import Literal

import msgspec

from model.evidence import EVERYTHING, Selection
from model.latest import Latest
from model.permissions import Grant
from model.reads import Read
from model.resolvers.registry import Arguments, Resolved, Resolver
from schemas.errors import LlumError
from schemas.evidence import Evidence
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer

ResolverFrom = Literal["ask", "component", "context", "default", "grant"]


class PendingAnswer(msgspec.Struct, kw_only=True):
    """A component whose answer waits for reads."""

    answer: ComponentAnswer
    resolver: Resolver
    resolver_from: ResolverFrom
    arguments: Arguments
    grant: Grant
    component_no: int
    held_order: bool
    """Some of its evidence has a time of its own."""
    latest: Latest
    """The latest evidence as it was known at the time of the plan; what was not known is read."""
    selection: Selection
    """What the resolver sees."""
    counts_until: float
    """What held only later does not count, seconds since 1970."""
    shows_held: bool
    """Evidence is shown in the order in which it held."""
    by_held: bool
    """The latest is what held last, and that may be another one than what was accepted last."""
    after_held: float | None = None
    """Since when the last piece of the page before held, if pages are in that order."""
    reads: dict[str, int] = {}
    """What each read is for, and its index in the plan."""
    resolved: Resolved | LlumError | None = None
    """What a resolver that runs elsewhere has given."""

    @property
    def over_latest(self) -> bool:
        """Tell whether the latest evidence, as it is kept in memory, decides the value."""
        return self.resolver.newest_of is not None and self.selection is EVERYTHING and not self.shows_held

    @property
    def gives_a_result(self) -> bool:
        return grants_a_result(self.grant, self.resolver)

    @property
    def sees(self) -> Literal["all", "passing", "nothing"]:
        """Which evidence the app may be shown."""
        if self.grant.bind_resolver is not None:
            return "nothing"
        return "all" if self.grant.filters is None else "passing"

    def shows_evidence(self, query: Ask) -> bool:
        return query.include_evidence and self.sees != "nothing"


def grants_a_result(grant: Grant, resolver: Resolver) -> bool:
    """Tell whether an app gets only what a resolver makes of evidence, such as how much there is: no value as it is.

    Then a correction stands in for all evidence, and the resolver is called with it. Else it would be the value, and
    tell the app more than it may know.
    """
    return grant.bind_resolver is not None and resolver.newest_of is None


class Plan(msgspec.Struct, kw_only=True):
    """A reply in the making, and the evidence to read for it. Holds nothing that later commands change."""

    seq: int
    now: float
    query: Ask
    selection: Selection
    """What is shown, and unless the ask says otherwise what the resolvers see."""
    reply: AskReply
    reads: list[Read] = []
    open: list[PendingAnswer] = []
    elsewhere: list[PendingAnswer] = []
    """Those of them whose resolver does not run here."""
    at: float | None = None
    """See `model.queries.past.Then`, as what follows."""
    withdrawn_by: int | None = None
    shown_until: int | None = None
    time_us: int = 0
    """When the last command was accepted."""

    @property
    def held_now(self) -> float:
        """Nothing that held only later has been true yet: now, or what the last command says, if clocks differ."""
        return self.now if self.query.held_at is not None else max(self.now, self.time_us / 1e6)

    @property
    def shows_held(self) -> bool:
        """Tell whether evidence is shown in the order in which it held."""
        return self.query.held_at is not None or self.selection.is_period


def in_order(plain: Evidence | None, goal: Evidence | None) -> list[Evidence]:
    """Give those of the two that there are, the newest last."""
    pieces = [piece for piece in (plain, goal) if piece is not None]
    return sorted(pieces, key=lambda piece: (piece.seq, piece.n))
