"""The shape of every preference set, whatever its ontology.

It is written as the errors quote it: `required` stands in the schema of the member that has to be there, and not, as
JSON Schema has it since draft 4, in that of the object.
"""

from typing import Any, Final

_URI_NAMES: Final = {"propertyNames": {"type": "string", "format": "uri"}}

_PREFERENCES: Final = {
    "type": "object",
    "required": True,
    "anyOf": [{"properties": {"application": {"type": "object", **_URI_NAMES}}}, _URI_NAMES],
}

SHAPE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "contexts": {
            "required": True,
            "additionalProperties": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "preferences": _PREFERENCES},
            },
        }
    },
}


def standard(schema: Any) -> Any:
    """Write a schema as JSON Schema has it: what is required by a member moves to its object."""
    if isinstance(schema, list):
        return [standard(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    wanted = [name for name, one in schema.get("properties", {}).items() if one.get("required")]
    rest = {key: standard(value) for key, value in schema.items() if key != "required"}
    return rest | {"required": wanted} if wanted else rest
