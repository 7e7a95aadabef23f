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

    def delcomponent(self, context: Any = (), componentid: Any = None) -> Any:
        return self._model_call("delcomponent", context=context, componentid=componentid)

    def delcontext(self, context: Any = ()) -> Any:
        return self._model_call("delcontext", context=context)

    def getcontext(self, context: Any = (), getsize: bool = False) -> Any:
        return self._model_call("getcontext", context=context, getsize=getsize)

    def delview(self, context: Any = (), viewid: Any = None) -> Any:
        return self._model_call("delview", context=context, viewid=viewid)

    def setresolver(self, context: Any, componentid: str, resolver: Any) -> Any:
        return self._model_call("setresolver", context=context, componentid=componentid, resolver=resolver)

    def getresolvers(self) -> Any:
        return self._model_call("getresolvers")

    def set_goals(self, context: Any = (), componentid: Any = None, goals: Any = None) -> Any:
        return self._model_call("set_goals", context=context, componentid=componentid, goals=goals)

    def subscribe(self, context: Any = (), view: Any = None, subscription: Any = None) -> Any:
        return self._model_call("subscribe", context=context, view=view, subscription=subscription)

    def list_subs(self, context: Any = (), componentid: Any = None) -> Any:
        return self._model_call("list_subs", context=context, componentid=componentid)

    def delete_sub(self, context: Any = (), componentid: Any = None, subname: Any = None) -> Any:
        return self._model_call("delete_sub", context=context, componentid=componentid, subname=subname)

    def export_model(self, context: Any = (), resolver: Any = None) -> Any:
        return self._model_call("export_model", context=context, resolver=resolver)

    def import_model(self, context: Any = (), partial_model: Any = None) -> Any:
        return self._model_call("import_model", context=context, partial_model=partial_model)

    def registerapp(self, app: Any = None, desc: str = "", password: Any = None) -> Any:
        return self._model_call("registerapp", app=app, description=desc, apppassword=password)

    def deleteapp(self, app: Any = None) -> Any:
        return self._model_call("deleteapp", app=app)

    def listapps(self) -> Any:
        return self._model_call("listapps")

    def setpermission(
        self, context: Any = None, componentid: Any = None, app: Any = None, permissions: Any = None
    ) -> Any:
        arguments = {"componentid": componentid, "app": app, "permissions": permissions or {}}
        return self._model_call("setpermission", context=context, **arguments)

    def getpermission(self, context: Any = None, componentid: Any = None, app: Any = None) -> Any:
        return self._model_call("getpermission", context=context, componentid=componentid, app=app)

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


class DeniedError(Exception):
    """The server answered with another status than 2xx; the client knows no more of it."""


class DeviceClient:
    """The original's client for simple devices: name and password in each call, and a look at the status alone."""

    def __init__(self, url: str, model: str, app: str, password: str, timeout_s: float = 30.0) -> None:
        self._place = urlsplit(url).netloc
        self._who = {"modelname": model, "user": app, "password": password}
        self._timeout_s = timeout_s
        self.status = 0
        self.retry_after: str | None = None

    def call(self, op: str, **arguments: Any) -> Any:
        """Call any operation: its value, whether `result` says ok or error. Raises `DeniedError`."""
        body = json.dumps({**self._who, **arguments, "version": "11.2"}) + "\n"
        connection = http.client.HTTPConnection(self._place, timeout=self._timeout_s)
        try:
            connection.request("POST", f"/{op}", body.encode(), {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self.status, self.retry_after = response.status, response.headers["Retry-After"]
        if not 200 <= response.status < 300:
            raise DeniedError(response.status)
        return json.loads(content)["val"]

    def ask(self, context: Any = (), view: Any = None) -> list[Component]:
        return _components(self.call("ask", context=context, view=view, resolver=None, showcontexts=None))

    def tell(self, context: Any, componentid: str, evidence: Evidence) -> Any:
        return self.call("tell", context=context, componentid=componentid, evidence=vars(evidence))


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
