"""The preferences service as its programs meet it: over HTTP, with the processes that a user starts.

The examples are those of the original service, compared by their own rules: of what is answered the members that an
example names count, and each of those in full.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.shared_data import shared_cases, shared_json
from tests.system.preferences_stage import PreferencesStage, open_stage

COMMON = "http://registry.gpii.net/common/"
SIZE = COMMON + "fontSize"
ISO_SIZE = {"display": {"screenEnhancement": {"fontSize": 24}}}

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreferencesStage]:
    with open_stage(tmp_path_factory.mktemp("preferences")) as stage:
        yield stage


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    """What is stored at the beginning of each example, by key."""
    safes = {safe["_id"]: safe["preferences"] for safe in shared_json("preferences/documents/prefsSafes.json")}
    keys = {key["_id"]: key["prefsSafeId"] for key in shared_json("preferences/documents/gpiiKeys.json")}
    return {key: safes[safe] for key, safe in keys.items() if safes.get(safe)}


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return f"key {next(_numbers)}"


def examples(file: str) -> list[Any]:
    """List the examples of a file, those that succeed and those that do not."""
    name = f"preferences/{file}.json"
    found = [*shared_cases(name, "success"), *shared_cases(name, "fail")]
    return [pytest.param(one, id=one["name"]) if isinstance(one, dict) else one for one in found]


def compare(example: dict[str, Any], status: int, answer: Any, expected: Any) -> None:
    assert status == example.get("expectedStatusCode", 200), answer
    assert {name: answer.get(name) for name in expected} == expected


@pytest.mark.parametrize("example", examples("get"))
def test_examples_of_get(stage: PreferencesStage, documents: dict[str, Any], example: dict[str, Any]) -> None:
    """As in the original service."""
    key = f"{example['gpiiKey']}-{next(_numbers)}"
    if example["gpiiKey"] in documents:
        stage.load({key: documents[example["gpiiKey"]]})
    answer = stage.http.get("/preferences/" + example["url"].replace("%gpiiKey", key))
    compare(example, answer.status_code, answer.json(), example["expected"])


@pytest.mark.parametrize("example", examples("post"))
def test_examples_of_post(stage: PreferencesStage, example: dict[str, Any]) -> None:
    """As in the original service; what was posted can be read by the new key."""
    answer = stage.http.post("/preferences", json=example["postBody"])
    expected = example.get("expected") or {"preferences": example["postBody"], "gpiiKey": answer.json()["gpiiKey"]}
    compare(example, answer.status_code, answer.json(), expected)
    if "expectedStatusCode" not in example:
        assert stage.read(answer.json()["gpiiKey"])["contexts"] == example["postBody"]["contexts"]


@pytest.mark.parametrize("example", examples("put"))
def test_examples_of_put(stage: PreferencesStage, documents: dict[str, Any], example: dict[str, Any]) -> None:
    """As in the original service, and so is what is stored then."""
    key = f"{example['gpiiKey']}-{next(_numbers)}"
    if example["gpiiKey"] in documents:
        stage.load({key: documents[example["gpiiKey"]]})
    query = {"merge": str(example.get("merge", "undefined")), "view": example.get("view", "")}
    answer = stage.put(key, example["putBody"], **query)
    expected = example.get("expected") or {"preferences": example["putBody"], "gpiiKey": key}
    compare(example, answer.status_code, answer.json(), expected)
    if "expectedRaw" in example:
        compare(example, 200, stage.stored(key), example["expectedRaw"])


def test_examples_of_status(stage: PreferencesStage) -> None:
    """What runs and is connected is healthy and ready."""
    assert stage.http.get("/health").json() == {"isHealthy": True}
    answer = stage.http.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"isReady": True})
