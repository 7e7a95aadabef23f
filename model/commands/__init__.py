"""Deciding: what a command changes in a model, or why it is refused.

`decide` never writes: what it gives is taken into the model by `model.fold.evolve`. It checks all, and encodes all that
is to be stored, before it gives anything, so the changes of a command count all or not at all. Permission is looked at
before existence, so that nobody learns what is there by asking for it.

Results: `make_model` and `delete_context` true; `make_context` true, or false when `exist_ok` found it there;
`make_rule` the token; `register_app` and `consent` the registration; `correct` {seq, n}; `import` how much was made;
`put_preferences` {made}; everything else null.
"""

from collections.abc import Callable
from typing import Any, Final

from model.changes import Decision, ForgetUser
from model.commands.apps import delete_app, register_app, set_permission
from model.commands.causes import note_sent, withdraw_following
from model.commands.consent import consent
from model.commands.erase import forget, forget_part, restate
from model.commands.evidence import correct, derive, tell, withdraw
from model.commands.imports import import_contexts
from model.commands.making import check_maker, make_model
from model.commands.preferences import make_safe, put_at_once, put_preferences
from model.commands.quotas import set_quota
from model.commands.rules import activate_rule, delete_rule, fire, make_rule
from model.commands.structure import (
    delete_component,
    delete_context,
    delete_view,
    make_component,
    make_context,
    make_view,
    set_goals,
    set_resolver,
)
from model.commands.time_zones import set_time_zone
from model.latest import LatestPieces
from model.permissions import KnownGrants
from model.reads import Reading
from model.stamp import Stamp
from model.state import Model
from schemas import commands
from schemas.commands import Command
from schemas.errors import Code, Refusal
from schemas.grants import Consent
from schemas.parts import ForgetPart, Restate
from schemas.preferences import PutPreferences

STAND_ALONE: Final[frozenset[type[Command]]] = frozenset({commands.Forget, ForgetPart, Restate})
"""These are committed by themselves: they delete rows, and nothing may add any in the same transaction."""


def decide(
    model: Model | None,
    command: Command,
    stamp: Stamp,
    known: KnownGrants | None = None,
    latest: LatestPieces | None = None,
) -> Reading[Decision]:
    """Decide a command to a model; None: the user has none.

    `known` are the permission answers that are remembered, `latest` is the evidence: neither changes what is decided.
    Yields the reads that it needs. Raises a `Refusal`.
    """
    decision = decide_at_once(model, command, stamp, known, latest)
    if decision is None:
        assert model is not None, "what is refused without a model is refused at once"
        if type(command) is PutPreferences:
            return (yield from put_preferences(model, command, stamp, known, latest))
        decision = yield from _READING[type(command)](model, command, stamp)
    return decision


def decide_at_once(
    model: Model | None,
    command: Command,
    stamp: Stamp,
    known: KnownGrants | None = None,
    latest: LatestPieces | None = None,
) -> Decision | None:
    """Decide a command as `decide` does, which is dearer; None: something must be read for it."""
    if model is None:
        return _decide_without_model(command, stamp)
    if type(command) is commands.Tell:
        return tell(model, command, stamp, known)
    if type(command) is commands.Derive:
        return tell(model, command, stamp, known, command.cause)
    if type(command) is PutPreferences:
        return put_at_once(model, command, stamp, known, latest)
    handler = _AT_ONCE.get(type(command))
    return None if handler is None else handler(model, command, stamp)


def _decide_without_model(command: Command, stamp: Stamp) -> Decision:
    if isinstance(command, commands.MakeModel):
        return make_model(command, stamp)
    if isinstance(command, PutPreferences) and command.make is not None:
        return make_safe(command, stamp)
    if isinstance(command, commands.Forget):
        # Accepted, so that forgetting can be done again; what is left of a person, a refused command say, goes.
        return Decision([ForgetUser()])
    if isinstance(command, Restate):
        return restate(None, command, stamp)
    raise Refusal(Code.NO_SUCH_MODEL, f"{stamp.user} has no model here", None, "the operator can make one")


def _refuse_second_model(model: Model, _command: commands.MakeModel, stamp: Stamp) -> Decision:
    check_maker(stamp)
    raise Refusal(Code.ALREADY_EXISTS, f"{model.user} has a model")


_AT_ONCE: Final[dict[type[Any], Callable[[Model, Any, Stamp], Decision]]] = {
    commands.Correct: correct,
    commands.MakeModel: _refuse_second_model,
    commands.MakeContext: make_context,
    commands.MakeComponent: make_component,
    commands.MakeView: make_view,
    commands.DeleteView: delete_view,
    commands.SetResolver: set_resolver,
    commands.SetGoals: set_goals,
    commands.SetTimeZone: set_time_zone,
    commands.MakeRule: make_rule,
    commands.ActivateRule: activate_rule,
    commands.DeleteRule: delete_rule,
    commands.Fire: fire,
    commands.RegisterApp: register_app,
    commands.DeleteApp: delete_app,
    commands.SetQuota: set_quota,
    commands.SetPermission: set_permission,
    Consent: consent,
    commands.Import: import_contexts,
    commands.Forget: forget,
    ForgetPart: forget_part,
    Restate: restate,
}
"""Commands that the model alone decides. A tell, the most frequent, is not looked up."""

_READING: Final[dict[type[Any], Callable[[Model, Any, Stamp], Reading[Decision]]]] = {
    commands.Derive: derive,
    commands.Withdraw: withdraw,
    commands.WithdrawFollowing: withdraw_following,
    commands.NoteSent: note_sent,
    commands.DeleteContext: delete_context,
    commands.DeleteComponent: delete_component,
}
"""Commands that need stored evidence."""
