"""A person at the original's model browser: the same requests for the same commands, and the same way to end.

The original lives on after a `ValueError` of `ls` and `tell`, and after anything that goes wrong in `cd`. Whatever else
is raised ends it, so here it is raised, too. What it prints is kept as lines, in words of our own.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.edge_http.personis_client import Component, Context, Evidence, PersonisClient

EVIDENCE_TYPES = ("explicit", "implicit", "exmachina", "inferred", "stereotype")
COMPONENT_TYPES = ("attribute", "activity", "knowledge", "belief", "preference", "goal")
VALUE_TYPES = ("string", "number", "boolean", "enum", "JSON")
YES = "Y"


class Umbrowser:
    """One session. `type` takes a command, and what the person answers to its questions, in order."""

    def __init__(self, client: PersonisClient) -> None:
        client.access()
        (firstname,) = client.ask(["Personal"], ["firstname"])
        self.username: Any = firstname.value
        self.context = [""]
        self.shown = 1
        self.lines: list[str] = []
        """What the last command printed."""
        self._client = client
        self._answers: list[str] = []

    def type(self, line: str, *answers: str) -> list[str]:
        """Give what is printed. Raises what ends the program, and fails if not all answers were asked for."""
        self.lines, self._answers = [], list(answers)
        command, *arguments = line.split()
        _COMMANDS[command](self, *arguments)
        assert not self._answers, f"nobody asked for {self._answers}"
        return self.lines

    def ls(self, name: str | None = None) -> None:
        if name is not None and not name.endswith("/"):
            self._living_on(lambda: self._show_component(name))
        else:
            below = [] if name is None else [name[:-1]]
            self._living_on(lambda: self._show_context([*self.context, *below]))

    def cd(self, name: str | None = None) -> None:
        before = self.context
        if name == "..":
            self.context = before[:-1] if len(before) > 1 else [""]
        else:
            self.context = [""] if name is None else [*before, name]
        try:
            self._client.ask(self.context)
        except Exception:  # noqa: BLE001 - as the original does
            self._print(f"no context {self.context}")
            self.context = before

    def tell(self, name: str) -> None:
        value = self._answer()
        number = self._answer()
        flags = list(iter(self._answer, ""))
        if self._answer() == YES:
            kind = EVIDENCE_TYPES[int(number or 0)]
            told = Evidence(source=self.username, evidence_type=kind, flags=flags, value=value)
            self._living_on(lambda: self._client.tell(self.context, name, told))

    def mkcontext(self, name: str) -> None:
        context = Context(Identifier=name, Description=self._answer())
        if self._answer() == YES and not self._client.mkcontext(self.context, context):
            self._print("not made")

    def mkcomponent(self, name: str) -> None:
        description, component_type, value_type = self._answer(), self._answer(), self._answer()
        if self._answer() == YES:
            component = Component(
                Identifier=name,
                Description=description,
                component_type=COMPONENT_TYPES[int(component_type)],
                value_type=VALUE_TYPES[int(value_type)],
            )
            self._client.mkcomponent(self.context, component)

    def delcomponent(self, name: str) -> None:
        if self._answer() == YES and (why := self._client.delcomponent(self.context, name)):
            self._print(why)

    def setgoals(self, name: str, *goals: str) -> None:
        self._client.set_goals(self.context, name, [goal.split("/") for goal in goals])

    def subscribe(self, name: str) -> None:
        subscription = {"user": self.username, "password": "", "statement": self._answer()}
        if self._answer() == YES:
            self._client.subscribe(self.context, [name], subscription)

    def delsub(self, name: str) -> None:
        _, _, _, subscriptions = self._client.ask(self.context, [name], None, True)
        rules = subscriptions[name]
        if not rules:
            self._print("no subscriptions")
        for token, rule in rules.items():
            self._print(rule["statement"])
            if self._answer() == YES:
                self._print(self._client.delete_sub(self.context, name, token))

    def app(self, name: str | None = None) -> None:
        if name is None:
            self._print(self._client.listapps())
        else:
            description, password = self._answer(), self._answer()
            self._print(self._client.registerapp(name, description, password))

    def listapps(self) -> None:
        self._print(self._client.listapps())

    def delapp(self, name: str | None = None) -> None:
        if name is not None:
            self._client.deleteapp(name)
            return
        for app in self._client.listapps():
            if self._answer() == YES:
                self._client.deleteapp(app)

    def setperm(self, app: str) -> None:
        if app not in self._client.listapps():
            self._print("not registered")
            return
        tell, ask = self._answer() == YES, self._answer() == YES
        if self._answer() == YES:
            self._client.setpermission(self.context, app=app, permissions={"ask": ask, "tell": tell})

    def showperm(self, app: str) -> None:
        if app not in self._client.listapps():
            self._print("not registered")
            return
        self._print(self._client.getpermission(self._answer().split("/"), app=app))

    def export(self, file: str) -> None:
        exported = json.loads(self._client.export_model(self.context, {"evidence_filter": "all"}))
        Path(file).write_text(json.dumps(exported, sort_keys=True, indent=4), encoding="utf-8")

    def import_(self, file: str) -> None:
        self._client.import_model(self.context, Path(file).read_text(encoding="utf-8"))

    def set_(self, name: str, value: str) -> None:
        assert name == "evnum", "nothing else is of use here"
        self.shown = int(value)

    def _show_context(self, path: list[str]) -> None:
        components, contexts, views, subscriptions = self._client.ask(path, None, None, True)
        for one in components:
            self._print(f"{one.Identifier}: {one.Description}")
        for name, what in (("Contexts", contexts), ("Views", views), ("Subscriptions", subscriptions)):
            self._print(f"{name}: {what}")

    def _show_component(self, name: str) -> None:
        for one in self._client.ask(self.context, [name], {"evidence_filter": "all"}):
            self._show(one)
            if one.value_type == "JSON":
                self._print(f"Value: {json.loads(one.value)}")
            one.evidencelist.reverse()
            for piece in one.evidencelist[: self.shown]:
                self._show(piece)

    def _show(self, what: Any) -> None:
        for name, member in vars(what).items():
            if name in ("time", "creation_time") and member is not None:
                self._print(f"{name} = {time.ctime(member)}")
            else:
                self._print(f"{name} = {len(member)} items" if name == "evidencelist" else f"{name} = {member}")

    def _living_on(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except ValueError as error:
            self._print(f"failed: {error}")

    def _answer(self) -> str:
        return self._answers.pop(0)

    def _print(self, what: Any) -> None:
        self.lines.append(str(what))


_COMMANDS: dict[str, Callable[..., None]] = {
    "import": Umbrowser.import_,
    "set": Umbrowser.set_,
    **{
        command.__name__: command
        for command in (
            Umbrowser.ls,
            Umbrowser.cd,
            Umbrowser.tell,
            Umbrowser.mkcontext,
            Umbrowser.mkcomponent,
            Umbrowser.delcomponent,
            Umbrowser.setgoals,
            Umbrowser.subscribe,
            Umbrowser.delsub,
            Umbrowser.app,
            Umbrowser.listapps,
            Umbrowser.delapp,
            Umbrowser.setperm,
            Umbrowser.showperm,
            Umbrowser.export,
        )
    },
}
