"""Queries: what may be asked of a model. `answer` is the only door.

targets.py        which components a query is about
visible.py        what is in a context, as far as an app may see it
past.py           the model as it was
ask/              asks: what to read (plan), the reply (finish), why a value is what it is (explain), pages (paging)
describe.py       the smaller queries
export.py         a part of a model, page by page
consequences.py   what would follow if something went (going.py: answers as if it had)
asked.py          who asked and told what
follows.py        what has followed from a piece of evidence
grants.py         what apps may do, and what was decided about them
preview.py        what an app would see under a grant that is not stored
preferences.py    the preferences of a safe, put together
check.py          whether an app may do something, and which settings decide
"""

from collections.abc import Callable, Generator
from typing import Any, Final

import msgspec

from model.caches import Caches
from model.commands.imports import import_contexts
from model.elsewhere import Together
from model.permissions import Asker, Grant, grantee_of
from model.queries import describe
from model.queries.ask import answer_ask
from model.queries.asked import answer_asked
from model.queries.check import answer_check
from model.queries.consequences import answer_consequences
from model.queries.export import export_page, read_mark
from model.queries.follows import answer_follows
from model.queries.grants import answer_grants
from model.queries.past import model_then
from model.queries.preferences import answer_preferences
from model.queries.preview import answer_preview
from model.reads import AsOf, Decisions, Follow, Pause, Read, Recorded
from model.resolvers.registry import Resolve, Resolvers
from model.resolvers.summaries import SHIPPED
from model.stamp import stamp_after
from model.state import Model
from schemas.commands import Import
from schemas.queries import (
    Access,
    Ask,
    Asked,
    AskForRule,
    Check,
    CheckImport,
    Consequences,
    Export,
    Follows,
    GetContext,
    GetPermission,
    Grants,
    ListApps,
    ListResolvers,
    ListRules,
    Preferences,
    PreviewGrant,
    Query,
    RuleMayTell,
)
from schemas.replies import CheckImportReply, Reply

Need = list[Read] | Follow | Pause | Resolve | Together | AsOf | Recorded | Decisions
"""What an answer wants from outside. It is sent each read's `Found`, what resolvers give, the model or None, rows.
A pause is for others to go on."""

Answering = Generator[Need, Any, Reply]


def answer(
    model: Model,
    caches: Caches,
    app: str,
    query: Query,
    now: float,
    resolvers: Resolvers = SHIPPED,
    fired: bool = False,
) -> Answering:
    """Answer a query that an app asks at the time `now` (seconds since 1970), or llum for a rule that has `fired`.

    A generator that yields what it needs, is sent it, and returns the reply; what is in memory needs nothing. It looks
    at the model until it yields `Read`s for the first time, and never after: commands may follow from then on. Raises a
    `Refusal`. A ping is not about a model, so it has no answer here.
    """
    if type(query) is AskForRule or type(query) is RuleMayTell:
        app = grantee_of(app, query.whose_rules)
        query = query.query if type(query) is AskForRule else query
    return _ANSWERS[type(query)](model, caches, Asker(app, model, now, caches.grants, fired), query, resolvers)


def _access(model: Model, _caches: Caches, asker: Asker, _query: Access, _resolvers: Resolvers) -> Answering:
    yield from ()
    return describe.answer_access(model, asker)


def _rule_may_tell(model: Model, _caches: Caches, asker: Asker, query: RuleMayTell, _resolvers: Resolvers) -> Answering:
    yield from ()
    describe.check_tells(asker, query.component)
    return describe.answer_access(model, asker)


def _get_context(model: Model, _caches: Caches, asker: Asker, query: GetContext, _resolvers: Resolvers) -> Answering:
    then = yield from model_then(model, asker, query, [asker.grant(tuple(query.context))])
    return (yield from describe.describe_context(then, asker, query))


def _list_resolvers(
    model: Model, _caches: Caches, _asker: Asker, _query: ListResolvers, resolvers: Resolvers
) -> Answering:
    yield from ()
    return describe.list_resolvers(model, resolvers)


def _list_apps(model: Model, _caches: Caches, asker: Asker, query: ListApps, _resolvers: Resolvers) -> Answering:
    then = yield from model_then(model, asker, query, [])
    return describe.list_apps(then.model, asker)


def _get_permission(
    model: Model, _caches: Caches, asker: Asker, query: GetPermission, _resolvers: Resolvers
) -> Answering:
    then = yield from model_then(model, asker, query, [_grant(asker, query)])
    return describe.get_permission(then.model, asker, query)


def _list_rules(model: Model, _caches: Caches, asker: Asker, query: ListRules, _resolvers: Resolvers) -> Answering:
    then = yield from model_then(model, asker, query, [_grant(asker, query)])
    return describe.list_rules(then.model, asker, query)


def _grants(model: Model, _caches: Caches, asker: Asker, query: Grants, _resolvers: Resolvers) -> Answering:
    return (yield from answer_grants(model, asker, query))


def _export(model: Model, _caches: Caches, asker: Asker, query: Export, _resolvers: Resolvers) -> Answering:
    """The mark of a page names the state that is exported."""
    mark = read_mark(query)
    of_page = query if mark is None else msgspec.structs.replace(query, as_of_seq=mark.seq, as_of_time=None)
    then = yield from model_then(model, asker, of_page, [])
    return (yield from export_page(then.model, asker, query))


def _grant(asker: Asker, query: GetPermission | ListRules) -> Grant:
    """Say what the app may do with the component or the context that the query is about."""
    path = tuple(query.context)
    grant = asker.grant(path)
    return grant if query.component is None else asker.component_grant(path, query.component, grant)


def _check_import(model: Model, _caches: Caches, asker: Asker, query: CheckImport, _resolvers: Resolvers) -> Answering:
    """Decide the import, and take none of its changes."""
    yield from ()
    command = Import(
        id="",
        context=query.context,
        contexts=query.contexts,
        apps=query.apps,
        decisions=query.decisions,
        only_new=query.only_new,
    )
    stamp = stamp_after(model, model.user, asker.app, model.seq + 1, round(asker.now * 1e6))
    import_contexts(model, command, stamp)
    return CheckImportReply(seq=model.seq)


def _asked(model: Model, _caches: Caches, asker: Asker, query: Asked, _resolvers: Resolvers) -> Answering:
    return (yield from answer_asked(model, asker, query))


def _follows(model: Model, _caches: Caches, asker: Asker, query: Follows, _resolvers: Resolvers) -> Answering:
    return (yield from answer_follows(model, asker, query))


_ANSWERS: Final[dict[type[Query], Callable[[Model, Caches, Asker, Any, Resolvers], Answering]]] = {
    Ask: answer_ask,
    Access: _access,
    RuleMayTell: _rule_may_tell,
    GetContext: _get_context,
    ListResolvers: _list_resolvers,
    ListApps: _list_apps,
    GetPermission: _get_permission,
    Grants: _grants,
    ListRules: _list_rules,
    Export: _export,
    CheckImport: _check_import,
    Consequences: answer_consequences,
    Asked: _asked,
    Follows: _follows,
    Check: answer_check,
    PreviewGrant: answer_preview,
    Preferences: answer_preferences,
}
