"""Rules that reach from one person's model into another's, over HTTP, as an app that both people use."""

from collections.abc import Callable
from typing import Any

from tests.personis.conftest import Person
from tests.system.harness import until

STEAL = "'' ~ '' : TELL ./T/loot, explicit:<{bob}/T/secret>"
SPOIL = "'' ~ '' : TELL {bob}/T/secret, explicit:'spoiled'"
MARK = "'' ~ '' : TELL ./T/done, explicit:<./T/go>"


def attack(mallory: Person, bob: Person, mark: str) -> None:
    """Fire Mallory's rules, and wait until the last of them has told: all have got their values by then."""
    mallory.tell(["T"], "go", mark)
    until(lambda: mallory.value(["T"], "done") == mark, f"the rules have fired for {mark}")


def test_a_rule_reaches_another_persons_model_by_that_persons_grant_only(new_person: Callable[[], Person]) -> None:
    """Both use the app, even as its owners; Bob grants what rules in Mallory's model may ask, and takes it back."""
    mallory, bob = new_person(), new_person()
    mallory.make("T", "go", "loot", "done")
    bob.make("T", "secret")
    bob.tell(["T"], "secret", "gold")
    for statement in (STEAL, SPOIL, MARK):
        assert mallory.client.subscribe(["T"], ["go"], {"statement": statement.format(bob=bob.user)})
    attack(mallory, bob, "first")
    assert mallory.value(["T"], "loot") is None
    assert bob.value(["T"], "secret") == "gold"

    granting: dict[str, Any] = {"context": ["T"], "app": "probe", "whose_rules": mallory.user, "modelname": "-"}
    assert bob.client.call("setpermission", {**granting, "permissions": {"ask": True}}) is None
    assert bob.client.call("getpermission", granting) == {"ask": True}
    assert bob.client.getpermission(["T"], app="probe") is None
    attack(mallory, bob, "second")
    until(lambda: mallory.value(["T"], "loot") == "gold", "the rule reads what Bob granted")
    assert bob.value(["T"], "secret") == "gold"

    bob.client.call("setpermission", {**granting, "permissions": {"ask": False}})
    bob.tell(["T"], "secret", "silver")
    attack(mallory, bob, "third")
    assert mallory.value(["T"], "loot") == "gold"
