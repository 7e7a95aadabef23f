"""The sixteen states, one by one."""

import itertools

from identity.states import TABLE, Facts, Shown, Step, Verdict, decide_state

Y, N = True, False

WANTED = {
    (Y, Y, Y, Y): (Shown.PAGE, {Step.SET_SESSION}),
    (Y, Y, Y, N): (Shown.PAGE, {Step.SET_SESSION, Step.SET_PROFILE}),
    (Y, Y, N, Y): (Shown.PAGE, {Step.SET_SESSION}),
    (Y, Y, N, N): (Shown.FIRST_PAGE, {Step.SET_SESSION, Step.SET_PROFILE}),
    (Y, N, Y, Y): (Shown.REGISTER, {Step.END_SESSION}),
    (Y, N, Y, N): (Shown.REGISTER, {Step.LINK_WORK}),
    (Y, N, N, Y): (Shown.REGISTER, {Step.CLEAR_PROFILE}),
    (Y, N, N, N): (Shown.REGISTER, set()),
    (N, N, Y, Y): (Shown.TEMPORARY_PAGE, set()),
    (N, N, Y, N): (Shown.TEMPORARY_PAGE, {Step.SET_PROFILE}),
    (N, N, N, Y): (Shown.WELCOME_BACK, set()),
    (N, N, N, N): (Shown.WELCOME, set()),
    (N, Y, Y, Y): (Shown.PAGE, set()),
    (N, Y, Y, N): (Shown.SIGN_IN, set()),
    (N, Y, N, Y): (Shown.SIGN_IN, set()),
    (N, Y, N, N): (Shown.SIGN_IN, set()),
}


def walk() -> list[tuple[Facts, Verdict]]:
    facts = [Facts(*four) for four in itertools.product([True, False], repeat=4)]
    return [(one, decide_state(one)) for one in facts]


def test_every_state_is_as_the_reference_has_it() -> None:
    """All sixteen of them: what is shown, and what happens before."""
    assert {tuple(facts): (found.shown, set(found.steps)) for facts, found in walk()} == WANTED
    assert len(TABLE) == 16


def test_every_state_has_a_name_of_its_own() -> None:
    """Logs and tests speak of them by it."""
    assert len({found.name for _, found in walk()}) == 16


def test_nobody_is_let_in_without_a_session_or_a_proof() -> None:
    """Whatever the profile cookie says: it is never trusted."""
    assert [facts for facts, found in walk() if found.is_let_in and not (facts.session or facts.authenticated)] == []


def test_the_profile_cookie_lets_nobody_in() -> None:
    """It never makes a page of what would be none without it, unless there is a session, too."""
    for facts, found in walk():
        without = decide_state(facts._replace(profile=False))
        assert found.is_let_in <= (without.is_let_in or facts.session)


def test_who_has_proven_who_they_are_gets_a_new_session_if_they_have_an_account() -> None:
    """And whoever has none registers first."""
    for facts, found in walk():
        assert (Step.SET_SESSION in found.steps) == (facts.authenticated and facts.registered)
        assert (found.shown is Shown.REGISTER) == (facts.authenticated and not facts.registered)


def test_temporary_users_get_their_pages_as_such() -> None:
    """A session without an account is theirs, and nobody else's."""
    for facts, found in walk():
        is_temporary = facts.session and not facts.registered and not facts.authenticated
        assert (found.shown is Shown.TEMPORARY_PAGE) == is_temporary
