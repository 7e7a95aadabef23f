"""The structure of a whole model as bytes, to have it in memory again in one step.

The bytes stand beside the items that they are made of: whoever has no bytes folds the items (`model.fold.restore`), and
gets the same model. Causes, sequence and time are no part of the structure; they change with commands that leave it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from model.sharing import shared
from model.state import NOTHING, App, Context, Model
from schemas.paths import Path
from schemas.permissions import Permission

MAX_STRUCTURE_BYTES: Final = 32 * 1024
"""A larger structure is not kept as bytes: each change of it would write all of it again."""

_Rights = list[tuple[str, Path, Permission]]


class _Node(msgspec.Struct, array_like=True, gc=False):
    contents: bytes
    first: int
    created_us: int
    children: dict[str, "_Node"] = {}


class _Whole(msgspec.Struct, array_like=True, gc=False):
    root: _Node
    apps: dict[str, App] = {}
    permissions: _Rights = []
    component_permissions: _Rights = []


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Whole).decode


def pack(model: Model) -> bytes | None:
    """Give the bytes; None if there are too many."""
    rights = (_listed(model.permissions), _listed(model.component_permissions))
    packed = _encode(_Whole(_node(model.root), dict(model.apps), *rights))
    return packed if len(packed) <= MAX_STRUCTURE_BYTES else None


def unpack(user: str, packed: bytes, seq: int, time_us: int, causes: Mapping[str, int]) -> Model:
    """Make the model of which these are the bytes. `causes` stand in the order of their counting."""
    whole = _decode(packed)
    model = Model(user, _context(whole.root, whole.root.created_us))
    model.seq, model.time_us = seq, time_us
    model.apps = whole.apps or NOTHING
    model.permissions = _nested(whole.permissions)
    model.component_permissions = _nested(whole.component_permissions)
    model.causes = dict(causes) or NOTHING
    return model


def _node(context: Context) -> _Node:
    children = {name: _node(child) for name, child in context.children.items()}
    return _Node(context.packed, context.first, context.created_us, children)


def _context(node: _Node, above_us: int) -> Context:
    # A time that is that of the parent is there once.
    created_us = above_us if node.created_us == above_us else node.created_us
    context = Context.unpacked(node.contents, node.first, created_us)
    if node.children:
        context.children = {shared(name): _context(child, created_us) for name, child in node.children.items()}
    return context


def _listed(rights: Mapping[str, Mapping[Path, Permission]]) -> _Rights:
    return [(app, path, permission) for app, each in rights.items() for path, permission in each.items()]


def _nested(rights: _Rights) -> dict[str, dict[Path, Permission]]:
    nested: dict[str, dict[Path, Any]] = {}
    for app, path, permission in rights:
        nested.setdefault(app, {})[path] = permission
    return nested or NOTHING
