"""The page itself: it looks at the model under the grant that would be stored, remembers that, and shows it."""

from collections.abc import Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

from aiohttp import web

from edge_http.apps.words import TO_END, going_on_in_words
from edge_http.consent.asking import OpenQuestion, questions_of
from edge_http.consent.choices import KEEP, Chosen, Option, SliceChoice, asked_choice, chosen, effective
from edge_http.consent.covering import Cover, cover_of
from edge_http.consent.ground import ConsentGround, ground_of, missing_places, options_of
from edge_http.consent.leading import form_target, host_of, place_of_asking
from edge_http.consent.looking import SliceSight, sights
from edge_http.consent.seeming import name_warnings
from edge_http.consent.wording import VERBS, limits_of, title_of
from edge_http.http.observe import TRACE
from edge_http.keys import AUTHENTICATOR
from edge_http.sessions.own_model import own_model
from edge_http.web.moments import moment
from edge_http.web.pages import page
from identity.oauth.questions import ShownConsent
from schemas.granting import PreviewGrantReply
from schemas.grants import GrantedApp
from schemas.outlasting import outlasted
from schemas.queries import PreviewGrant
from schemas.slices import Action, Slice

MAX_VALUES: Final = 200
"""Values that a page shows."""


class Row(NamedTuple):
    """A slice that is to be decided about."""

    number: int
    title: str
    verbs: list[tuple[Action, str]]
    purpose: str
    limits: list[str]
    """As it was asked for."""
    cover: Cover
    absent: list[str]
    may_make: bool
    options: list[Option]
    choice: SliceChoice
    sight: SliceSight


class ToDecide(NamedTuple):
    """What is to be decided about, and what follows from what was chosen."""

    ground: ConsentGround
    slices: list[Slice]
    """Those that the app does not have already."""
    had: list[Slice]
    covers: list[Cover]
    options: list[list[Option]]


async def deciding_about(request: web.Request, asked: OpenQuestion) -> ToDecide:
    """Find what is to be decided about. Raises `no_such_model`, `Transient`."""
    question = asked.question
    ground = await ground_of(request, asked.user, asked.client.id, question.slices)
    current = _current(ground.app)
    is_owner = ground.app is not None and ground.app.role == "owner"
    covers: list[Cover] = ["all" if is_owner else cover_of(one, current) for one in question.slices]
    new = [at for at, cover in enumerate(covers) if cover != "all"]
    slices = [question.slices[at] for at in new]
    return ToDecide(
        ground,
        slices,
        [one for one, cover in zip(question.slices, covers, strict=True) if cover == "all"],
        [covers[at] for at in new],
        [options_of(one, ground) for one in slices],
    )


def current_of(about: ToDecide) -> list[Slice]:
    """Give what the app may do before anything is decided."""
    return _current(about.ground.app)


def endless(about: ToDecide, granted: Sequence[Slice]) -> list[str]:
    """Say where an end would be none: a wider part that is allowed for longer would go on to give the same."""
    return [going_on_in_words(one) for one in outlasted(granted, current_of(about))]


def _current(app: GrantedApp | None) -> list[Slice]:
    return app.slices if app is not None and app.registration is not None else []


def first_choices(about: ToDecide) -> list[SliceChoice]:
    """Give what is chosen when the page is opened: what was asked for; what the person has narrowed stays narrow."""
    asked = [asked_choice(one) for one in about.slices]
    covered = zip(asked, about.covers, strict=True)
    return [one._replace(what=KEEP) if cover == "narrower" else one for one, cover in covered]


async def show(
    request: web.Request,
    asked: OpenQuestion,
    about: ToDecide,
    choices: Sequence[SliceChoice],
    *,
    changed: bool = False,
) -> web.Response:
    """Show the page with these choices. Raises `bad_field`, `Transient`."""
    now, follows, reply = await _looked_at(request, asked, about, choices)
    shown = ShownConsent(
        user=asked.user, session=asked.session, now=now, seq=reply.seq, time=reply.time, granted=follows.granted
    )
    await questions_of(request).note_shown(asked.found, shown)
    seen, seen_already = _seen(reply, await _already(request, asked, about), about, choices)
    code_request, client = asked.question.code_request, asked.client
    return page(
        request, "consent.html", leads_to=form_target(code_request.redirect_uri),
        client=client, host=place_of_asking(code_request), home=host_of(client.home) if client.home else "",
        meant_for=host_of(code_request.audience) if code_request.audience else "",
        secret=asked.found.secret, rows=_rows(about, choices, seen),
        owner=asked.question.owner and not _is_owner(about), owns=_is_owner(about),
        has=[_in_words(one, about) for one in current_of(about)], seen_already=seen_already, reply=reply,
        zone=about.ground.zone, changed=changed, endless=endless(about, follows.granted), to_end=TO_END,
        warnings=name_warnings(client, await request[TRACE].edge[AUTHENTICATOR].clients.list()),
    )  # fmt: skip


async def _already(request: web.Request, asked: OpenQuestion, about: ToDecide) -> PreviewGrantReply | None:
    """Look at the model under what the app may do now; None: it may ask nothing, or is an owner's."""
    current = current_of(about)
    if _is_owner(about) or not any("ask" in one.actions for one in current):
        return None
    query = PreviewGrant(app=asked.client.id, granted=current, decision="changed", limit=MAX_VALUES)
    return await own_model(request, asked.user).find(query, PreviewGrantReply)


def _seen(
    reply: PreviewGrantReply, already: PreviewGrantReply | None, about: ToDecide, choices: Sequence[SliceChoice]
) -> tuple[list[SliceSight], SliceSight]:
    """Give what is seen by each slice that is to be decided about, and by what the app has beside them."""
    *seen, _ = sights(reply, [effective(*each) for each in zip(about.slices, choices, strict=True)])
    if already is None:
        return seen, SliceSight([], 0)
    *kept, beside = sights(already, about.slices)
    return [kept[at] if one.what == KEEP else seen[at] for at, one in enumerate(choices)], beside


def _rows(about: ToDecide, choices: Sequence[SliceChoice], seen: Sequence[SliceSight]) -> list[Row]:
    return [
        Row(
            number,
            title_of(one),
            [(verb, VERBS[verb]) for verb in one.actions],
            one.purpose or "",
            limits_of(one, partial(moment, zone=about.ground.zone)),
            about.covers[number],
            missing_places(one, about.ground),
            "make" in one.actions,
            about.options[number],
            choices[number],
            seen[number],
        )
        for number, one in enumerate(about.slices)
    ]


def _in_words(one: Slice, about: ToDecide) -> tuple[str, list[str], list[str]]:
    """Say what an app has: where, what it may do there, and what limits that."""
    limits = limits_of(one, partial(moment, zone=about.ground.zone))
    return title_of(one), [VERBS[verb] for verb in one.actions], limits


def _is_owner(about: ToDecide) -> bool:
    return about.ground.app is not None and about.ground.app.role == "owner"


async def _looked_at(
    request: web.Request, asked: OpenQuestion, about: ToDecide, choices: Sequence[SliceChoice]
) -> tuple[float, Chosen, PreviewGrantReply]:
    """Look at the model under the grant that follows from the choices; also give what "from now on" means."""
    role: Literal["app", "owner"] = "owner" if asked.question.owner else "app"
    model = own_model(request, asked.user)
    preview = partial(PreviewGrant, app=asked.client.id, role=role)
    now = (await model.find(preview(limit=1), PreviewGrantReply)).time
    follows = chosen(about.slices, choices, about.options, now, about.ground.zone)
    return now, follows, await model.find(preview(granted=follows.granted, limit=MAX_VALUES), PreviewGrantReply)
