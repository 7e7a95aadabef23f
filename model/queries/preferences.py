"""The preferences of a safe, put together, as far as an app may ask them.

For most who ask, what stands in memory is all that is needed. Where a grant limits what an app sees of the evidence, or
a resolver is set, a context is asked as by an ordinary ask, and what comes of that is put together with the rest.
"""

from collections.abc import Generator, Iterator
from typing import Any

from model.caches import Caches
from model.elsewhere import Together
from model.evidence import to_us
from model.permissions import Asker, Grant, denied
from model.preferences.sets import Tree
from model.queries.ask.finish import finish_ask
from model.queries.ask.held import read_behind
from model.queries.ask.parts import Plan
from model.queries.ask.plan import plan_ask
from model.queries.past import Then, model_then
from model.reads import AsOf, Pause, Read
from model.resolvers.latest import DEFAULT_RESOLVER
from model.resolvers.registry import Resolve, Resolvers
from model.safes.assembling import set_of
from model.safes.places import contexts_of, facts_of, number_of, snapshot, views_of
from model.safes.standing import AsStands, Pieces, StandingPieces, is_there
from model.sight import Sight
from model.state import Context, Model
from schemas.evidence import Evidence
from schemas.limits import MAX_LIST_ITEMS
from schemas.missing import right
from schemas.paths import Path, check_path
from schemas.preferences import SAFE_CONTEXT, PreferencesReply
from schemas.queries import Ask, Preferences
from schemas.replies import AskReply, ComponentAnswer

Looks = Generator[AsOf | list[Read] | Pause | Resolve | Together, Any, PreferencesReply]


def answer_preferences(model: Model, caches: Caches, asker: Asker, query: Preferences, resolvers: Resolvers) -> Looks:
    """Give the sets of a safe. Raises `permission_denied` if the app may ask none of it, and as `model_then`."""
    place = check_path(query.context, "context")
    granted = list(_grants(asker, place))
    if not any(grant.ask for grant in granted):
        raise denied(asker.app, "ask", "context", right("ask", place))
    then = yield from model_then(model, asker, query, granted)
    looking = _Looking(model, then, caches, asker, query, place, resolvers)
    yield from looking.read()
    return looking.reply


class _Looking:
    """One look at a safe: what is to be read is known when it begins, since commands may follow from then on."""

    def __init__(
        self,
        model: Model,
        then: Then,
        caches: Caches,
        asker: Asker,
        query: Preferences,
        place: Path,
        resolvers: Resolvers,
    ) -> None:
        self._model, self._then, self._caches, self._asker = model, then, caches, asker
        self._query, self._place = query, place
        self._is_present = then.model is model
        self._resolvers = resolvers
        self._seq = then.model.seq
        at = then.model.context(place)
        self._facts = facts_of(then.model, place) if asker.grant((SAFE_CONTEXT,)).ask else None
        self._views = views_of(at)
        plain, asked = self._divided(at)
        if self._facts is not None:
            plain.append(self._facts)
        until_us = None if query.as_of_time is None else to_us(query.as_of_time)
        last = self._seq if query.as_of_seq is None else min(self._seq, query.as_of_seq)
        bounds = AsStands(then.now, last, until_us, then.withdrawn_by)
        latest = caches.latest if self._is_present else None
        self._standing = StandingPieces(plain, bounds, latest, corrections=True)
        self._plans = [plan for path, context in asked for plan in self._planned(path, context)]

    def read(self) -> Generator[AsOf | list[Read] | Pause | Resolve | Together, Any, None]:
        """Find what memory does not know."""
        standing = self._standing
        if self._is_present and (self._plans or standing.reads()):
            self._views = {name: snapshot(view) for name, view in self._views.items()}
            self._facts = None if self._facts is None else snapshot(self._facts)
        while reads := standing.reads():
            found = yield reads
            standing.take(found, keep=self._is_present and self._model.seq == self._seq)
        for plan, numbers in self._plans:
            found = (yield plan.reads) if plan.reads else []
            if plan.reads:
                yield from read_behind(plan, found)
            answered = yield from finish_ask(plan, found)
            standing.pieces |= _answered(answered, numbers)

    @property
    def reply(self) -> PreferencesReply:
        """Put the reply together. All has been read."""
        pieces = self._standing.pieces
        reply = PreferencesReply(seq=self._seq)
        for name, view in self._views.items():
            made = set_of(view, pieces)
            if not self._asker.is_owner:
                made = self._shown(name, made)
            if made:
                reply.sets[name] = made
        if self._facts is not None:
            if _fact(self._facts, "type", pieces) == "snapset":
                reply.type = "snapset"
            updated = _fact(self._facts, "updated", pieces)
            reply.updated = updated if type(updated) is str else None
        return reply

    def _divided(self, at: Context | None) -> tuple[list[Context], list[tuple[Path, Context]]]:
        """Part the contexts that the app may know: those of which what stands is all, and those to be asked."""
        plain: list[Context] = []
        asked: list[tuple[Path, Context]] = []
        asker, sight = self._asker, Sight(self._asker)
        single = bool(asker.rights.component_permissions.get(asker.app)) and not asker.is_owner
        above = _resolver_at(self._then.model, self._place)
        resolvers: dict[Path, bool] = {self._place: above}
        for path, context in contexts_of(self._place, at):
            grant = asker.grant(path)
            resolved = resolvers[path] = resolvers[path[:-1]] or not _is_plain(context)
            if single or (grant.ask and (resolved or not grant.unlimited) and sight.enters(grant, path)):
                asked.append((path, context))
            elif grant.ask and grant.unlimited and self._reaches(grant):
                plain.append(context)
        return plain, asked

    def _reaches(self, grant: Grant) -> bool:
        return self._then.at is None or self._then.at >= self._asker.now - grant.past

    def _planned(self, path: Path, context: Context) -> Iterator[tuple[Plan, dict[str, int]]]:
        """Plan ordinary asks of what the app may ask of a context; with the numbers of its components."""
        sight, leaves = Sight(self._asker), context.contents.components
        names = [name for name in leaves if sight.sees(path, name)]
        numbers = {name: context.first + leaves[name].offset for name in names}
        caches = self._caches if self._is_present else None
        for begin in range(0, len(names), MAX_LIST_ITEMS):
            some: list[str | list[str]] = [*names[begin : begin + MAX_LIST_ITEMS]]
            query = Ask(context=list(path), view=some, explain=True)
            if not self._is_present:
                query.as_of_seq, query.as_of_time = self._query.as_of_seq, self._query.as_of_time
            yield plan_ask(self._model, self._asker, query, self._resolvers, caches, self._then), numbers

    def _shown(self, view: str, made: Tree) -> Tree:
        """Leave out sets that the app may not know of."""
        contexts = made.get("contexts")
        if type(contexts) is not dict:
            return made
        asker, path = self._asker, (*self._place, view)
        shown = {
            name: one
            for name, one in contexts.items()
            if asker.grant((*path, name)).ask or (type(one) is dict and one.get("preferences"))
        }
        return {**made, "contexts": shown}


def _grants(asker: Asker, place: Path) -> Iterator[Grant]:
    """Say what the app may do at a place, and where something is set for it below."""
    yield asker.grant(place)
    if asker.is_owner:
        return
    depth = len(place)
    for path in asker.rights.permissions.get(asker.app, {}):
        if len(path) > depth and path[:depth] == place:
            yield asker.grant(path)
    for path in asker.rights.component_permissions.get(asker.app, {}):
        if len(path) > depth and path[:depth] == place:
            yield asker.component_grant(path[:-1], path[-1], asker.grant(path[:-1]))


def _resolver_at(model: Model, place: Path) -> bool:
    """Tell whether a resolver is set at a context or above."""
    context: Context | None = model.root
    for segment in place:
        if context is None or _is_set(context.resolver):
            break
        context = context.children.get(segment)
    return context is not None and _is_set(context.resolver)


def _is_plain(context: Context) -> bool:
    """Tell whether the value of each component here is the latest."""
    leaves = context.contents.components.values()
    return not _is_set(context.resolver) and not any(leaf.resolver for leaf in leaves if _is_set(leaf.resolver))


def _is_set(resolver: str | None) -> bool:
    return resolver is not None and resolver != DEFAULT_RESOLVER


def _answered(reply: AskReply, numbers: dict[str, int]) -> Pieces:
    """Make of answers what stands for the components. Of an app that gets no evidence, null says that nothing is."""
    return {numbers[one.path[-1]]: _standing_for(one) for one in reply.components}


def _standing_for(answer: ComponentAnswer) -> Evidence | None:
    used = answer.explanation.used if answer.explanation is not None else ()
    if not any(map(is_there, used)) and (used or answer.value is None):
        return None
    return Evidence(seq=0, value=answer.value, source="", owner="", creation_time=0)


def _fact(facts: Context, name: str, pieces: Pieces) -> Any:
    number = number_of(facts, name)
    piece = None if number is None else pieces.get(number)
    return None if piece is None else piece.value
