"""A client that behaves as the original's OAuth client does, faults included; only the standard library, synchronous.

What it shares with the original: it posts JSON and a newline with `"version": "11.2"` and model name `-`; it looks at
the HTTP status only for 401 and 403, upon which it refreshes its token once; it takes an answer without `result` for
None; it unpickles the third item of an error of three, and raises `Exception(str(val))` for others; it fails on a bare
list or `true`, and on text at the top level that is not ASCII (Python 2's `str`); and it builds components and
evidence from the members as they come, refusing unknown types.
"""

import http.client
import json
import pickle
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

COMPONENT_TYPES = ("attribute", "activity", "knowledge", "belief", "preference", "goal")
VALUE_TYPES = ("string", "number", "boolean", "enum", "JSON")
EVIDENCE_TYPES = ("explicit", "implicit", "exmachina", "inferred", "stereotype")


class Thing:
    """An object whose members are what was given, over the defaults of its kind."""

    defaults: dict[str, Any] = {}

    def __init__(self, **members: Any) -> None:
        self.__dict__.update({name: _fresh(default) for name, default in self.defaults.items()})
        self.__dict__.update(members)
        self.check()

    def check(self) -> None:
        """Raise what the original raises for members that it does not know."""


class Evidence(Thing):
    defaults = {
        "flags": list, "evidence_type": None, "source": None, "owner": None, "value": None, "comment": None,
        "creation_time": None, "time": None, "useby": None, "objectType": "Evidence",
    }  # fmt: skip

    def check(self) -> None:
        if self.evidence_type not in EVIDENCE_TYPES:
            raise TypeError(f"bad evidence type {self.evidence_type}")


class Component(Thing):
    defaults = {
        "Identifier": None, "Description": "", "component_type": None, "value_type": None, "value_list": list,
        "value": None, "resolver": None, "goals": list, "evidencelist": list, "objectType": "Component",
        "creation_time": time.time,
    }  # fmt: skip

    def check(self) -> None:
        if self.component_type not in COMPONENT_TYPES:
            raise TypeError(f"bad component type {self.component_type}")
        if self.value_type not in VALUE_TYPES:
            raise ValueError(f"bad component value definition {self.value_type}")
        if self.value_type == "enum" and not self.value_list:
            raise ValueError("type 'enum' requires non-empty value-list")
        if self.value_type == "enum" and self.value is not None and self.value not in self.value_list:
            raise ValueError(f"value {self.value!r} not in value_list")


class Context(Thing):
    defaults = {
        "Identifier": None, "Description": "", "perms": dict, "resolver": None, "objectType": "Context",
        "creation_time": time.time,
    }  # fmt: skip


class View(Thing):
    defaults = {"Identifier": None, "Description": "", "component_list": None, "objectType": "View"}


class PersonisClient:
    """Access to the model of the token's user. `refresh`, if given, is called for a new token after a 401 or 403."""

    def __init__(self, url: str, token: str, refresh: Callable[[], str] | None = None, timeout_s: float = 30.0) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._prefix = parts.path.rstrip("/") + "/"
        self._token = token
        self._refresh = refresh
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self.status = 0
        """Of the last answer. The original does not look at it; tests may."""

    def access(self) -> None:
        if not self.call("access", {}):
            raise ValueError("server cannot access model")

    def ask(self, context: Any = (), view: Any = None, resolver: Any = None, showcontexts: Any = None) -> list[Any]:
        found = self._model_call("ask", context=context, view=view, resolver=resolver, showcontexts=showcontexts)
        if showcontexts:
            components, contexts, views, subscriptions = found
            return [_components(components), contexts, views, subscriptions]
        return _components(found)

    def tell(self, context: Any, componentid: str, evidence: Evidence) -> Any:
        return self._model_call("tell", context=context, componentid=componentid, evidence=vars(evidence))

    def mkcomponent(self, context: Any, componentobj: Component) -> Any:
        return self._model_call("mkcomponent", context=context, componentobj=vars(componentobj))

    def mkcontext(self, context: Any, contextobj: Context) -> Any:
        return self._model_call("mkcontext", context=context, contextobj=vars(contextobj))

    def mkview(self, context: Any, viewobj: View) -> Any:
        return self._model_call("mkview", context=context, viewobj=vars(viewobj))

    def call(self, op: str, arguments: dict[str, Any]) -> Any:
        """Call any operation: its value, or the exception that the original would raise."""
        body = json.dumps({**arguments, "version": "11.2"}) + "\n"
        content = self._post(op, body)
        if self.status in (401, 403) and self._refresh:
            self._token = self._refresh()
            content = self._post(op, body)
        try:
            result = json.loads(content)
        except ValueError:
            raise ValueError("json loads failed") from None
        for member in result.values():
            if isinstance(member, str):
                member.encode("ascii")
        if "result" not in result:
            return None
        if result["result"] != "error":
            return result["val"]
        if len(result["val"]) == 3:
            raise pickle.loads(result["val"][2].encode("ascii"))
        raise Exception(str(result["val"]))

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _model_call(self, op: str, **arguments: Any) -> Any:
        return self.call(op, {"modelname": "-", "user": "", "password": "", **arguments})

    def _post(self, op: str, body: str) -> bytes:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            self._connection.request("POST", self._prefix + op, body.encode(), headers)
            response = self._connection.getresponse()
            self.status = response.status
            return response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise


def _components(found: list[dict[str, Any]]) -> list[Component]:
    components = []
    for members in found:
        component = Component(**members)
        if members["evidencelist"]:
            component.evidencelist = [Evidence(**piece) for piece in members["evidencelist"]]
        components.append(component)
    return components


def _fresh(default: Any) -> Any:
    return default() if callable(default) else default
