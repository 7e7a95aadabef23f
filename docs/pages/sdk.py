"""The page about what other programs may import."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from llum import public
from llum.client import Client
from llum.granting import Granting
from llum.preferring import Preferring
from pages.markdown import code, first_paragraph, page, table

_FAMILIES: Final = {
    "llum.client": "client",
    "llum.sync": "client",
    "llum.failures": "error",
    "llum.given_paths": "path",
    "bus.as_app": "command",
    "bus.showing": "client",
    "llum.oauth.prompts": "sign-in",
    "llum.oauth.signed_in": "sign-in",
    "llum.oauth.signing_in": "sign-in",
    "model.resolvers.registry": "resolver",
    "schemas.asked": "reply",
    "schemas.commands": "command",
    "schemas.consequences": "reply",
    "schemas.definitions": "definition",
    "schemas.errors": "error",
    "schemas.evidence": "evidence",
    "schemas.explaining": "reply",
    "schemas.following": "reply",
    "schemas.granting": "reply",
    "schemas.parts": "part",
    "schemas.paths": "path",
    "schemas.permissions": "permission",
    "schemas.preferences": "preferences",
    "schemas.queries": "query",
    "schemas.replies": "reply",
    "schemas.slices": "permission",
    "sensors.channel": "sensor",
    "sensors.errors": "error",
    "sensors.publisher": "sensor",
    "sensors.spool": "sensor",
}


def sdk_page() -> str:
    """Describe the methods of the clients, and all public names."""
    return page(
        "The SDK",
        "Import these names from `llum`, and nothing else of llum: other modules may change at any time. "
        "[Use the SDK](../how-to/use-the-sdk.md) shows how.",
        "## Methods of the clients",
        "`Client` has them as coroutines (`export` as an asynchronous generator). `SyncClient` has them as plain "
        "functions with the same parameters (`export` as a generator). They raise `Refusal` and `Transient`.",
        table(("method", "parameters", "what"), [_method(name, one) for name, one in methods().items()]),
        "## Names",
        "The fields of commands, queries, replies and what they are made of are in [messages](messages.md).",
        table(("name", "belongs to", "what"), [_name(name, family) for name, family in sorted(_families().items())]),
    )


def methods() -> dict[str, Callable[..., Any]]:
    """Give the methods of the clients by name."""
    return {
        name: one
        for name, one in (vars(Granting) | vars(Preferring) | vars(Client)).items()
        if not name.startswith("_") and (inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one))
    }


def _method(name: str, method: Callable[..., Any]) -> tuple[str, str, str]:
    parameters = [one for one in inspect.signature(method).parameters.values() if one.name != "self"]
    return code(name), ", ".join(map(_parameter, parameters)), first_paragraph(method.__doc__)


def _parameter(one: inspect.Parameter) -> str:
    return code(one.name if one.default is inspect.Parameter.empty else f"{one.name}={one.default!r}")


def _families() -> dict[str, str]:
    """Say of each public name to what it belongs."""
    assert public.__file__ is not None
    nodes = ast.parse(Path(public.__file__).read_text("utf-8")).body
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {alias.name: _FAMILIES[str(node.module)] for node in imports for alias in node.names}


def _name(name: str, family: str) -> tuple[str, str, str]:
    what = getattr(public, name)
    is_own = inspect.isclass(what) or inspect.isfunction(what)
    return code(name), family, first_paragraph(what.__doc__) if is_own and what is not tuple else ""
