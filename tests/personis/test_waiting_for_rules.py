"""A tell is answered when the rules in its model have run, so that the original's clients may ask right after it."""

import time

import pytest

from tests.personis.conftest import Person
from tests.system.plain_http import PlainHttp, tell_body
from tests.waiting import DEADLINE_S

SETTLED = 3
"""Tells whose rules had ended in time: on a busy machine they may take longer than a tell waits."""


@pytest.mark.parametrize("model", [".", "own"])
def test_the_next_ask_sees_what_rules_told(person: Person, model: str) -> None:
    """To the end of a chain, whether its rules name the model or its person. The tell is ok in any case."""
    place = person.user if model == "own" else model
    context = person.make("test", "gender", "firstname", "greeting")
    for source, target in (("gender", "firstname"), ("firstname", "greeting")):
        statement = (
            f"<{place}/test/{source}> ~ '.*' : TELL {place}/test/{target}, explicit:<{place}/Personal/firstname>"
        )
        person.client.subscribe(context, [source], {"statement": statement})
    person.tell(["Personal"], "firstname", "Al")
    http = PlainHttp(person.llum.http, person.token)
    told, settled, deadline = 0, 0, time.monotonic() + DEADLINE_S
    while settled < SETTLED:
        assert time.monotonic() < deadline, f"{settled} of {told} tells had settled"
        status, answer = http.call("tell", tell_body(context, "gender", "f"), Llum_Settle="1")
        assert (status, answer["result"], answer["val"]) == (200, "ok", None)
        told += 1
        if answer["settled"]:
            settled += 1
            assert [piece.value for piece in person.evidence(context, "greeting")] == ["Al"] * told
    http.close()
