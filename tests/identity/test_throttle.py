"""Who guesses is slowed down, and keeps nobody else out."""

import pytest

from identity import throttle
from identity.throttle import Attempts, Throttle
from schemas.errors import Code, Transient


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts("wrong passwords", clock)


def refused_for(attempts: Attempts, *who: str) -> float:
    """Give the seconds that somebody is told to wait."""
    with pytest.raises(Transient) as caught:
        attempts.take(*who)
    assert caught.value.code is Code.RATE_LIMITED
    return caught.value.retry_after_s


def many_guess(attempts: Attempts, account: str) -> None:
    """Let many addresses guess at an account, until there were too many."""
    for number in range(throttle.ACCOUNT_ATTEMPTS):
        attempts.take(f"198.51.100.{number}", account)


def test_an_address_has_ten_guesses_at_an_account(attempts: Attempts, clock: Clock) -> None:
    """The next one comes back after six seconds, and the refusal says so."""
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.1", "alice")
    assert refused_for(attempts, "192.0.2.1", "alice") == pytest.approx(throttle.ATTEMPT_EVERY_S)
    clock.now += throttle.ATTEMPT_EVERY_S
    attempts.take("192.0.2.1", "alice")


def test_guesses_from_elsewhere_keep_nobody_out(attempts: Attempts) -> None:
    """Each address has its own, and so has each account."""
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.1", "alice")
    attempts.take("192.0.2.2", "alice")
    attempts.take("192.0.2.1", "bob")


def test_what_was_right_is_not_counted(attempts: Attempts) -> None:
    """However often somebody signs in, nothing is taken from the address, the account or the browser."""
    for _ in range(3 * throttle.ACCOUNT_ATTEMPTS):
        attempts.take("192.0.2.1", "alice").give_back()
        attempts.take("192.0.2.1", "alice", "browser").give_back()
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.1", "alice")
        attempts.take("192.0.2.1", "alice", "browser")


def test_an_address_has_sixty_guesses_at_all_accounts(attempts: Attempts) -> None:
    """Whether there are such accounts or not. Others go on."""
    for number in range(throttle.SOURCE_ATTEMPTS):
        attempts.take("192.0.2.1", f"made-up-{number}")
    assert refused_for(attempts, "192.0.2.1", "another") == pytest.approx(throttle.SOURCE_ATTEMPT_EVERY_S)
    assert refused_for(attempts, "192.0.2.1") == pytest.approx(throttle.SOURCE_ATTEMPT_EVERY_S)
    attempts.take("192.0.2.2", "another")


def test_what_is_refused_for_its_address_does_not_count_against_the_account(attempts: Attempts) -> None:
    """One address alone never makes an account one that many guess at."""
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.1", "alice")
    for _ in range(2 * throttle.ACCOUNT_ATTEMPTS):
        refused_for(attempts, "192.0.2.1", "alice")
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.2", "alice")


def test_many_addresses_that_guess_at_one_account_have_few_guesses_each(attempts: Attempts, clock: Clock) -> None:
    """So many computers together do not guess much more often than one."""
    many_guess(attempts, "alice")
    for _ in range(throttle.FEW):
        attempts.take("192.0.2.1", "alice")
    assert refused_for(attempts, "192.0.2.1", "alice") == pytest.approx(throttle.FEW_EVERY_S)
    attempts.take("192.0.2.1", "bob")
    clock.now += throttle.ACCOUNT_ATTEMPTS * throttle.ACCOUNT_ATTEMPT_EVERY_S
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.1", "alice")


def test_strangers_do_not_lock_a_person_out(attempts: Attempts) -> None:
    """At a new address a person still has attempts; a browser that was in before is counted by itself."""
    many_guess(attempts, "alice")
    attempts.take("192.0.2.1", "alice").give_back()
    for number in range(throttle.SOURCE_ATTEMPTS):
        attempts.take("192.0.2.9", f"made-up-{number}")
    refused_for(attempts, "192.0.2.9", "alice")
    attempts.take("192.0.2.9", "alice", "her browser")


def test_a_browser_that_was_in_before_has_ten_guesses_too(attempts: Attempts) -> None:
    """Who finds it guesses no faster than others. Its guesses are for its own account alone."""
    for _ in range(throttle.ATTEMPTS):
        attempts.take("192.0.2.1", "alice", "browser")
    refused_for(attempts, "192.0.2.2", "alice", "browser")
    attempts.take("192.0.2.1", "alice")
    attempts.take("192.0.2.1", "bob", "browser")


def test_guessers_are_remembered_in_bounded_memory(clock: Clock) -> None:
    """Those who come last are counted, however many come, and however long the names are that they make up."""
    limit = Throttle(clock, 1, 60.0, "sign-ups from this address")
    for number in range(throttle.MAX_COUNTED + 10):
        limit.take(number)
    with pytest.raises(Transient, match="too many sign-ups from this address"):
        limit.take(throttle.MAX_COUNTED + 9)
    limit.take(0)
    assert len(limit._full_at) == throttle.MAX_COUNTED
    attempts = Attempts("wrong passwords", clock)
    taken = attempts.take("192.0.2.1", "a" * 1_000_000, "b" * 1_000_000)
    assert taken.counted[0][1] == ("b" * 256, "a" * 256)
