"""What the original's own programs do with a model: log-llum, asker and the activity sensor. The same requests."""

from collections import Counter
from typing import Any

from tests.edge_http.personis_client import Component, Context, Evidence, PersonisClient

ITEMS = ("apple", "banana", "grape", "kiwi", "orange", "pear")
LOGGING = ["Apps", "Logging"]
ACTIVITY = ["Devices", "activity_monitor", "activity"]


def _own_context(name: str, description: str) -> Context:
    """Make what these programs ask for: the permission itself stands where apps should be, which was never read."""
    perms = {"ask": True, "tell": True, "resolvers": ["all", "last10", "last1", "goal"]}
    return Context(Identifier=name, Description=description, perms=perms, resolver=None, objectType="Context")


class LogLlum:
    """A page with fruit to click on."""

    def __init__(self, client: PersonisClient) -> None:
        client.access()
        self._client = client
        self.installed = False
        """Whether this start had to make its context."""
        try:
            client.ask(LOGGING)
        except Exception:  # noqa: BLE001 - as the original does
            self._install()

    def _install(self) -> None:
        self.installed = True
        self._client.mkcontext(["Apps"], _own_context("Logging", "What was logged"))
        items = Component(
            Identifier="logged_items",
            component_type="activity",
            value_type="enum",
            value_list=list(ITEMS),
            resolver=None,
            Description="Each item that was logged",
        )
        self._client.mkcomponent(LOGGING, items)

    def log(self, item: str, time: float) -> None:
        told = Evidence(source="llum-log", evidence_type="explicit", value=item, time=time)
        self._client.tell(LOGGING, "logged_items", told)

    def greeting(self) -> list[Any]:
        """Give what the page begins with: the person's name and picture."""
        return [one.value for one in self._client.ask(["Personal"], ["firstname", "picture"])]


def counted(client: PersonisClient) -> dict[str, int]:
    """Do what asker does: how often each item was logged."""
    counts: Counter[str] = Counter()
    for component in client.ask(LOGGING, ["logged_items"]):
        counts.update(piece.value for piece in component.evidencelist)
    return dict(counts)


class ActivitySensor:
    """Tells 1 when somebody is at the machine, 0 when not, -1 at its end."""

    def __init__(self, client: PersonisClient) -> None:
        client.access()
        self._client = client
        client.ask(["Personal"], ["firstname"])
        try:
            client.ask(ACTIVITY[:2])
        except Exception:  # noqa: BLE001 - as the original does
            self._install()

    def _install(self) -> None:
        self._client.mkcontext(ACTIVITY[:1], _own_context(ACTIVITY[1], "How the computer is used"))
        self._client.mkcontext(ACTIVITY[:2], _own_context(ACTIVITY[2], "Whether somebody is there"))
        data = Component(
            Identifier="data",
            component_type="attribute",
            value_type="number",
            resolver=None,
            Description="1 active, 0 inactive, -1 ended",
        )
        self._client.mkcomponent(ACTIVITY, data)

    def send(self, value: int, time: float) -> None:
        """Tell once. The original tries again for ever after any exception; here it is raised."""
        told = Evidence(source="activity_monitor", evidence_type="explicit", value=value, time=time)
        self._client.tell(ACTIVITY, "data", told)
