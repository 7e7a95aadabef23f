"""Which subjects an app gets on the bus: those of its person and itself, verb by verb, as far as its grant goes; and
its inbox.
"""

from collections.abc import Iterable
from typing import Final

from bus.subjects import ask_subject, command_subject
from identity.callout.claims import Subjects
from schemas import commands, queries
from schemas.missing import RIGHT_OF
from schemas.permissions import VERBS
from schemas.verbs import verb_of

_OWNERS: Final = tuple(command for command in commands.COMMANDS if command not in commands.LLUMS_OWN)
_ASKS: Final = tuple(query for query in queries.QUERIES if query not in queries.LLUMS_OWN_QUERIES)
_OWNERS_ASKS: Final = frozenset(
    {
        queries.ListApps,
        queries.Export,
        queries.CheckImport,
        queries.Asked,
        queries.Follows,
        queries.MeasurePart,
        queries.Check,
        queries.PreviewGrant,
    }
)


def subjects_of(user: str, app: str, rights: Iterable[str], *, owner: bool, inboxes: Iterable[str]) -> Subjects:
    """Give what an app may publish and hear. `rights` are those that it has somewhere in the model, of `VERBS`."""
    held = frozenset(VERBS if owner else rights)
    sent = _OWNERS if owner else tuple(one for one in _OWNERS if RIGHT_OF.get(one) in held)
    asked = [
        query
        for query in _ASKS
        if owner or (query not in _OWNERS_ASKS and (query not in RIGHT_OF or RIGHT_OF[query] in held))
    ]
    publish = [command_subject(user, app, verb_of(command)) for command in sent]
    publish += [ask_subject(user, app, verb_of(query)) for query in asked]
    return Subjects(tuple(publish), tuple(f"{inbox}.>" for inbox in inboxes))
