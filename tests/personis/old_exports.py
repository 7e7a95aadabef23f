"""Models as the original exports them, member by member: what its programs and people left there."""

from typing import Any

from tests.personis.old_programs import ITEMS

OWNER = "117572263564136503318"
STATEMENT = "<default!./Health/weight> ~ '.*' : TELL ./Health/seen, inferred:<default!./Health/weight>"


def piece(value: Any, time: float | None = None, **members: Any) -> dict[str, Any]:
    """Evidence as it lies in the original's files."""
    return {
        "evidence_type": "explicit", "source": OWNER, "owner": OWNER, "value": value, "comment": None, "flags": [],
        "time": time, "creation_time": 1_340_000_000.25, "useby": None, "objectType": "Evidence", **members,
    }  # fmt: skip


def component(name: str, *evidence: dict[str, Any], **members: Any) -> dict[str, Any]:
    """With the value that the newest piece gives."""
    value = evidence[-1]["value"] if evidence else None
    return {
        "Identifier": name, "Description": f"the {name}", "component_type": "attribute", "value_type": "string",
        "value_list": [], "value": value, "resolver": None, "goals": [], "evidencelist": list(evidence),
        "objectType": "Component", "creation_time": 1_330_000_000.5, **members,
    }  # fmt: skip


def context(name: str, *components: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A context with what is in it; without sub-contexts there is null."""
    info = {
        "Identifier": name, "Description": f"about {name}", "perms": parts.pop("perms", {}), "resolver": None,
        "objectType": "Context", "creation_time": 1_320_000_000.75,
    }  # fmt: skip
    below = {one["contextinfo"]["Identifier"]: one for one in parts.pop("below", [])}
    by_name = {one["Identifier"]: one for one in components}
    return {
        "contextinfo": info, "contexts": below or None, "components": by_name, "views": parts.pop("views", {}),
        "subs": parts.pop("subs", {}),
    }  # fmt: skip


def log_llums_apps() -> dict[str, Any]:
    """The context `Apps` with what log-llum keeps there; the permission stands where apps should be."""
    logged = [piece(item, time=1_340_000_000.0 + n, creation_time=1_340_000_000.5 + n) for n, item in enumerate(ITEMS)]
    items = component("logged_items", *logged, component_type="activity", value_type="enum", value_list=list(ITEMS))
    perms = {"ask": True, "tell": True, "resolvers": ["all", "last10", "last1", "goal"]}
    return context("Apps", below=[context("Logging", items, perms=perms)])


def rich_context() -> dict[str, Any]:
    """All that a context may hold: every type of value, goals, flags, views, rules, old spellings."""
    goal = piece(70, flags=["goal"], time=1_340_000_100.0, comment="soon", creation_time=1_340_000_001.0)
    weight = component(
        "weight", piece("82"), piece(81.5, useby=4e9), goal, value_type="number", value=81.5,
        goals=[["Goals", "Health"]],
    )  # fmt: skip
    components = [
        weight,
        component("seen", piece(82), piece(None), piece("x", exp={"a": [1]})),
        component("vegan", piece("True"), piece(False), value_type="boolean"),
        component("mood", piece("good"), value_type="enum", value_list="good"),
        component("raw", piece('{"a": 1}'), piece({"b": [2]}), value_type="JSON"),
        component("listed", value_list=["a", "b"], goals="Health/weight", resolver="goal"),
        component("empty", myattr={"a": [1]}),
    ]
    view = {
        "Identifier": "body", "Description": "of the body", "component_list": ["weight", ["Health", "seen"]],
        "objectType": "View", "colour": "red",
    }  # fmt: skip
    rule = {"user": OWNER, "password": "", "statement": STATEMENT, "modelname": OWNER}
    subs = {"weight": {f"{OWNER}:1340000000.123456": rule}, "seen": {}}
    perms = {"scale": {"ask": True, "tell": False, "resolvers": ["all"]}, "nobody": {"ask": True}}
    health = context("Health", *components, below=[context("Empty")], views={"body": view}, subs=subs, perms=perms)
    health["contextinfo"]["doctor"] = "Who"
    return health


def whole_model() -> dict[str, Any]:
    """The root, of which the original knows less than of other contexts, with all that is below it."""
    names = [component(name, piece(value)) for name, value in (("firstname", "Alice"), ("nickname", "Al"))]
    below = [log_llums_apps(), rich_context(), context("Personal", *names), context("Devices"), context("Goals")]
    root = context(".", below=below)
    root["contextinfo"] = {"Identifier": ".", "Description": "root context", "perms": {}}
    return root
