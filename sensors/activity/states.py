"""When to tell what: a pure machine over looks at how long the person has been idle.

    unknown ──look──► ACTIVE ◄──look──► IDLE          and at the end, from any: SHUT_DOWN

Only changes are told, and the first look. The time of a telling is when the thing happened, not when it was seen:
active, the moment of the input; idle, the last input plus the threshold.
"""

from typing import Final, NamedTuple

ACTIVE: Final = 1
IDLE: Final = 0
SHUT_DOWN: Final = -1


class ActivitySettings(NamedTuple):
    """What the states depend on."""

    idle_after_s: float
    """Seconds without input after which a person counts as idle."""


class Observation(NamedTuple):
    """A state to be told, and since when it holds."""

    value: int
    time: float
    """Seconds since 1970."""


class State(NamedTuple):
    """What has been told last, and the last input that is known of."""

    value: int | None = None
    told_at: float = 0.0
    input_at: float = 0.0


def look(state: State, idle_s: float, now: float, settings: ActivitySettings) -> tuple[State, list[Observation]]:
    """Take a look into account: no input for `idle_s` seconds up to `now`."""
    input_at = now - max(idle_s, 0.0)
    seen = state._replace(input_at=input_at)
    if idle_s < settings.idle_after_s:
        return _become(seen, ACTIVE, input_at, now)
    return _become(seen, IDLE, input_at + settings.idle_after_s, now)


def slept(state: State, now: float, settings: ActivitySettings) -> tuple[State, list[Observation]]:
    """Take into account that the machine was suspended since the last look: nobody was active then."""
    idle_at = state.input_at + settings.idle_after_s
    if state.value != ACTIVE or idle_at > now:
        return state, []
    return _become(state, IDLE, idle_at, now)


def shut_down(state: State, now: float) -> tuple[State, list[Observation]]:
    """End: from now on nobody looks."""
    return _become(state, SHUT_DOWN, now, now)


def _become(state: State, value: int, time: float, now: float) -> tuple[State, list[Observation]]:
    if value == state.value:
        return state, []
    # Back ends round to milliseconds and more: an event is not told to lie before the one that preceded it,
    # unless the clock itself has been set back.
    if state.told_at <= now:
        time = max(time, state.told_at)
    return state._replace(value=value, told_at=time), [Observation(value, time)]
