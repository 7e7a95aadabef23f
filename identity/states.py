"""Who comes to a page: sixteen states from four facts, and what llum does in each.

Functions that find the facts decide nothing; this table alone does. *Registered* is only ever known from what was
proven now, or from a session: never from the profile cookie, which anybody can have left in a browser.
"""

import enum
from typing import Final, NamedTuple


class Facts(NamedTuple):
    """What is known of a request for a page."""

    authenticated: bool
    """Somebody has proven just now who they are: it answers a sign-in."""
    registered: bool
    """There is an account: of who has proven who they are, or else of whose session it is."""
    session: bool
    """There is a live session, be it that of a temporary user."""
    profile: bool
    """The browser has a profile cookie: somebody has used llum in it."""


class Shown(enum.StrEnum):
    """What the person gets to see."""

    PAGE = "the page"
    FIRST_PAGE = "the page, with a welcome to who is here for the first time"
    TEMPORARY_PAGE = "the page, as a temporary user"
    REGISTER = "registration"
    WELCOME_BACK = "welcome back: sign in, with the way that was used last"
    WELCOME = "welcome: sign in, or try it as a temporary user"
    SIGN_IN = "sign in"


class Step(enum.StrEnum):
    """What happens to session and cookies before that."""

    SET_SESSION = "a session with a new id is made; the one that was there ends"
    END_SESSION = "the session ends; a temporary user's lives on until their work is linked"
    SET_PROFILE = "the profile cookie is set"
    CLEAR_PROFILE = "the profile cookie is cleared"
    LINK_WORK = "what the temporary user has done becomes that of who registers"


class Verdict(NamedTuple):
    """What llum does in one of the states."""

    name: str
    shown: Shown
    steps: frozenset[Step] = frozenset()

    @property
    def is_let_in(self) -> bool:
        """The person sees the page that they have asked for."""
        return self.shown in (Shown.PAGE, Shown.FIRST_PAGE, Shown.TEMPORARY_PAGE)


def _verdict(name: str, shown: Shown, *steps: Step) -> Verdict:
    return Verdict(name, shown, frozenset(steps))


Y, N = True, False

TABLE: Final = {
    # authenticated, registered, session, profile cookie
    Facts(Y, Y, Y, Y): _verdict("go", Shown.PAGE, Step.SET_SESSION),
    Facts(Y, Y, Y, N): _verdict("set_profile_cookie", Shown.PAGE, Step.SET_SESSION, Step.SET_PROFILE),
    Facts(Y, Y, N, Y): _verdict("set_session", Shown.PAGE, Step.SET_SESSION),
    Facts(Y, Y, N, N): _verdict("first_time", Shown.FIRST_PAGE, Step.SET_SESSION, Step.SET_PROFILE),
    Facts(Y, N, Y, Y): _verdict("session_and_profile_of_nobody", Shown.REGISTER, Step.END_SESSION),
    Facts(Y, N, Y, N): _verdict("session_of_nobody", Shown.REGISTER, Step.LINK_WORK),
    Facts(Y, N, N, Y): _verdict("stale_profile", Shown.REGISTER, Step.CLEAR_PROFILE),
    Facts(Y, N, N, N): _verdict("need_to_register", Shown.REGISTER),
    Facts(N, N, Y, Y): _verdict("anonymous_go", Shown.TEMPORARY_PAGE),
    Facts(N, N, Y, N): _verdict("anonymous_set_profile_cookie", Shown.TEMPORARY_PAGE, Step.SET_PROFILE),
    Facts(N, N, N, Y): _verdict("long_time_no_see", Shown.WELCOME_BACK),
    Facts(N, N, N, N): _verdict("new_visitor", Shown.WELCOME),
    Facts(N, Y, Y, Y): _verdict("session_goes_on", Shown.PAGE),
    Facts(N, Y, Y, N): _verdict("session_without_profile", Shown.SIGN_IN),
    Facts(N, Y, N, Y): _verdict("not_arrived_yet", Shown.SIGN_IN),
    Facts(N, Y, N, N): _verdict("could_be_anyone", Shown.SIGN_IN),
}
"""The first, in every row with a proof of who somebody is and an account, rotates the id of the session."""


def decide_state(facts: Facts) -> Verdict:
    """Give what llum does."""
    return TABLE[facts]
