"""What holds of preferences over HTTP, whatever is sent, and whoever sends at the same time."""

import asyncio
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.new_people import default_model
from identity.tokens import Tokens
from llum.client import Client
from model.preferences.sets import sanitised
from tests.effort import EFFORT
from tests.system.preferences_stage import PreferencesStage, body_of, open_stage

COMMON = "http://registry.gpii.net/common/"
SIZE = COMMON + "fontSize"

WRITERS = 8

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreferencesStage]:
    with open_stage(tmp_path_factory.mktemp("preferences")) as stage:
        yield stage


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return f"key {next(_numbers)}"


def iso_size(size: Any) -> dict[str, Any]:
    """Say the size of fonts as ISO 24751 does."""
    return {"display": {"screenEnhancement": {"fontSize": size}}}


TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
NAMES = st.sampled_from(["a", "b", "a.b", "\\", "äö", "http://x.example/y z", "~1", "..", " c"]) | TEXTS
SCALARS = st.none() | st.booleans() | TEXTS | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, width=32)
VALUES = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
METADATA = st.lists(st.fixed_dictionaries({"type": TEXTS, "scope": st.lists(NAMES, max_size=2)}), max_size=2)
SETS = st.fixed_dictionaries(
    {"preferences": st.dictionaries(NAMES, VALUES, max_size=4)},
    optional={
        "name": TEXTS,
        "metadata": METADATA,
        "priority": SCALARS.filter(lambda value: value not in (1e400, -1e400)),
    },
)
BODIES = st.fixed_dictionaries(
    {"contexts": st.dictionaries(st.sampled_from(["gpii-default", "bright", "n.1"]), SETS, max_size=2)},
    optional={"name": st.text("ab", min_size=1), "metadata": METADATA},
)


@settings(
    max_examples=25 * EFFORT, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(body=BODIES, view=st.sampled_from(["flat", "ISO24751", "unheard of"]))
def test_what_was_put_is_given_back(stage: PreferencesStage, body: Any, view: str) -> None:
    """In the view in which it was put, without empty lists, whatever was there. What is no name is 400, with its place,
    and changes nothing."""
    key = f"given back {view}"
    before = stage.get(key, view=view)
    answer = stage.put(key, body, view=view)
    if answer.status_code == 400:
        refused = answer.json()
        assert refused["code"] in ("bad_path", "bad_value"), refused
        assert refused["code"] == "bad_value" or refused["field"].startswith("contexts."), refused
        assert stage.get(key, view=view).text == before.text
        return
    assert answer.status_code == 200, answer.text
    assert stage.read(key, view=view) == sanitised(body)


@settings(max_examples=6 * EFFORT, deadline=None)
@given(puts=st.lists(st.tuples(st.booleans(), st.integers(8, 40)), min_size=1, max_size=4))
def test_a_setting_is_never_there_twice(stage: PreferencesStage, puts: list[tuple[bool, int]]) -> None:
    """Whoever puts it in one ontology takes it out of the others: what counts is what was put last, in each view."""
    key = f"twice {next(_numbers)}"
    for in_iso, size in puts:
        if in_iso:
            stage.write(key, iso_size(size), view="ISO24751")
        else:
            stage.write(key, {SIZE: size})
    assert stage.settings(key)[SIZE] == puts[-1][1]
    assert stage.settings(key, view="ISO24751") == iso_size(puts[-1][1])
    stored = [one["contexts"]["gpii-default"]["preferences"] for one in stage.stored(key).values()]
    assert len([one for one in stored if one]) == 1


def write_at_once(stage: PreferencesStage, key: str, times: int, **query: str) -> None:
    """Have writers put one after the other, all at the same time; each must succeed."""

    def write(writer: int) -> None:
        with httpx.Client(base_url=stage.llum.http, timeout=120.0) as http:
            for number in range(times):
                mark = f"{writer}.{number}"
                body = body_of({f"of {writer}": mark, "first": mark, "second": {"deeper": mark}})
                answer = http.put(f"/preferences/{key}", params=query, json=body)
                assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


@pytest.mark.parametrize("times", [6, pytest.param(125, marks=pytest.mark.long)])
def test_writers_at_once_end_in_one_of_the_serial_orders(stage: PreferencesStage, key: str, times: int) -> None:
    """None of them fails, and what is there at the end is what the last in the log has put, whole."""
    write_at_once(stage, key, times)
    history = whole_history(stage, key, "first")
    last = history[-1]["value"]
    writer = last.partition(".")[0]
    assert stage.settings(key) == {f"of {writer}": last, "first": last, "second": {"deeper": last}}
    assert sorted(one["value"] for one in history) == sorted(
        f"{writer}.{number}" for writer in range(WRITERS) for number in range(times)
    )


def test_writers_at_once_that_merge_lose_nothing(stage: PreferencesStage, key: str) -> None:
    """What each has put for itself is there at the end."""
    write_at_once(stage, key, 4, merge="true")
    found = stage.settings(key)
    assert [found[f"of {writer}"] for writer in range(WRITERS)] == [f"{writer}.3" for writer in range(WRITERS)]
    assert found["first"] == found["second"]["deeper"]


def whole_history(stage: PreferencesStage, key: str, term: str) -> list[dict[str, Any]]:
    answer = stage.http.get(f"/preferences/{key}/history", params={"term": term})
    assert answer.status_code == 200, answer.text
    assert "next" not in answer.json()
    found: list[dict[str, Any]] = answer.json()["history"]
    return found


STRANGE = {
    "a context with further members": {"contexts": {"gpii-default": {"preferences": iso_size(9), "more": {"x": 1}}}},
    "scopes inside each other": {
        "contexts": {"gpii-default": {"preferences": iso_size(9), "metadata": [{"type": "x", "scope": ["a", "a.b"]}]}}
    },
    "an application that is null": {
        "contexts": {"gpii-default": {"preferences": {**iso_size(9), "applications": {"x": None}}}}
    },
}
"""What has ended the original service when it was read in another ontology."""


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in STRANGE.items()])
def test_what_is_strange_is_passed_over(stage: PreferencesStage, key: str, body: Any) -> None:
    """In another ontology there is what can be said in it. In its own the strange is given back, too."""
    assert stage.put(key, body, view="ISO24751").status_code == 200
    assert stage.settings(key) == {SIZE: 9}
    assert stage.read(key, view="ISO24751") == body


def test_stored_nulls_count_as_nothing(stage: PreferencesStage, key: str) -> None:
    """As other installations may have stored them: what is put in another ontology is there."""
    stage.load({key: {"ISO24751": {"contexts": None}, "flat": {"contexts": {"gpii-default": None}}}})
    assert stage.read(key)["contexts"] in ({}, {"gpii-default": None})
    stage.write(key, {SIZE: 12})
    assert stage.settings(key, view="ISO24751") == iso_size(12)


def test_nobody_changes_a_snapset(stage: PreferencesStage, key: str) -> None:
    """Whatever is sent; what is no preferences is refused for that first."""
    stage.load({key: {"flat": body_of({SIZE: 9})}}, "snapset")
    for answer in (stage.put(key, body_of({SIZE: 11})), stage.patch(key, body_of({SIZE: None}))):
        assert (answer.status_code, answer.json().get("errorCode")) == (404, "GPII_ERR_READONLY"), answer.text
    assert stage.put(key, {}).status_code == 400
    assert stage.settings(key) == {SIZE: 9}


def test_null_in_a_patch_unsets_in_every_ontology(stage: PreferencesStage, key: str) -> None:
    """What the patch does not name stays; what it sets is checked."""
    stage.write(key, iso_size(20), view="ISO24751")
    stage.write(key, {"http://x.example/a": {"b": 1, "c": 2}, "http://x.example/d": 3}, merge="true")
    answer = stage.patch(key, body_of({SIZE: None, "http://x.example/a": {"b": None}}))
    assert answer.status_code == 200, answer.text
    assert stage.settings(key) == {"http://x.example/a": {"c": 2}, "http://x.example/d": 3}
    assert stage.settings(key, view="ISO24751") == {}
    stage.write(key, {SIZE: 20, "http://x.example/d": 3})
    assert stage.patch(key, body_of({"display": None}), view="ISO24751").status_code == 200, "a whole group"
    assert stage.settings(key) == {"http://x.example/d": 3}
    refused = stage.patch(key, body_of({SIZE: "large"}))
    assert (refused.status_code, refused.json()["isValid"]) == (400, False)


def test_a_patch_leaves_preferences(stage: PreferencesStage, key: str) -> None:
    """What is there after it can be put again: a new context has preferences, and no patch takes all of them away by
    their name. A context goes as a whole."""
    stage.write(key, {SIZE: 12})
    assert stage.patch(key, {"contexts": {"bright": {"name": "Bright"}}, "name": "N"}).status_code == 200
    found = stage.read(key)
    bright = {"name": "Bright", "preferences": {}}
    assert found == {"name": "N", "contexts": {**body_of({SIZE: 12})["contexts"], "bright": bright}}
    assert stage.put(key, found).status_code == 200
    assert stage.patch(key, {"contexts": {"bright": {"preferences": None}}}).status_code == 400
    assert stage.patch(key, {"contexts": {"gpii-default": None}, "name": None}).status_code == 200
    assert stage.read(key) == {"contexts": {"bright": bright}}


def test_the_past_of_a_setting_is_known(stage: PreferencesStage, key: str) -> None:
    """Who set it, when, and what it was before; all as it was at a time; and why it is as it is. A setting that is kept
    in another ontology is found there."""
    stage.write(key, {SIZE: 12})
    between = datetime.now(UTC)
    stage.write(key, {SIZE: 18})
    stage.patch(key, body_of({SIZE: None}))
    said = [
        {name: one[name] for name in ("value", "before", "unset", "app") if name in one}
        for one in whole_history(stage, key, SIZE)
    ]
    assert said == [
        {"value": 12, "app": "_preferences"},
        {"value": 18, "before": 12, "app": "_preferences"},
        {"unset": True, "before": 18, "app": "_preferences"},
    ]
    assert stage.settings(key) == {}
    assert stage.settings(key, at=between.isoformat()) == {SIZE: 12}
    assert stage.settings(key, at=str(between.timestamp()), view="ISO24751") == iso_size(12)
    answer = stage.http.get(
        f"/preferences/{key}/explain",
        params={"term": "display.screenEnhancement.fontSize", "view": "ISO24751", "at": between.isoformat()},
    )
    found = answer.json()
    assert (found["view"], found["value"]) == ("flat", 12)
    assert [piece["value"] for piece in found["explanation"]["used"]] == [12]


def test_a_term_that_is_not_there_is_said(stage: PreferencesStage, key: str) -> None:
    """And so is one that is missing from the question."""
    stage.write(key, {SIZE: 12})
    for term, status, code in (
        ("nothing", 404, "no_such_component"),
        ("", 400, "bad_field"),
        ("a..b", 400, "bad_field"),
    ):
        answer = stage.http.get(f"/preferences/{key}/history", params={"term": term})
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, "term")
    answer = stage.http.get("/preferences/nobody/history", params={"term": SIZE})
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "GPII_ERR_NO_GPIIKEY")


def test_a_repeated_put_counts_once(stage: PreferencesStage, key: str) -> None:
    """By the id that its sender has chosen."""
    for _ in range(2):
        answer = stage.http.put(
            f"/preferences/{key}",
            json=body_of({SIZE: 12}),
            headers={"Idempotency-Key": f"once {key}".replace(" ", "-")},
        )
        assert answer.status_code == 200
    assert len(whole_history(stage, key, SIZE)) == 1


async def _token_of_a_person(nats: str, user: str) -> str:
    async with Client.connect(nats) as client:
        await client.make_model(user, default_model(user))
        registered = await client.register_app(user, "kiosk", "for tests", role="owner")
        return await Tokens(client.bus).issue(user, "kiosk", registered.result, 3600.0)


def test_a_person_s_own_preferences_are_in_their_model(stage: PreferencesStage) -> None:
    """An app of theirs keeps them there by its token: the history says that it was this app."""
    token = asyncio.run(_token_of_a_person(stage.llum.nats, "alice"))
    shown = {"Authorization": f"Bearer {token}"}
    empty = stage.http.get("/preferences/me", headers=shown)
    assert (empty.status_code, empty.json()) == (200, {"contexts": {}})
    put = stage.http.put("/preferences/me", json=body_of({SIZE: 12}), headers=shown)
    assert (put.status_code, put.json()["gpiiKey"]) == (200, "me")
    assert stage.http.get("/preferences/alice", headers=shown).json() == body_of({SIZE: 12})
    history = stage.http.get("/preferences/me/history", params={"term": SIZE}, headers=shown).json()
    assert [(one["value"], one["app"]) for one in history["history"]] == [(12, "kiosk")]
    assert stage.get("alice").status_code == 404, "a key of that name is something else"
