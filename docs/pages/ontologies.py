"""The page about files of ontologies, with all terms that llum brings along."""

from typing import Any, Final

import msgspec

from llum.ontologies.format import OntologyFile, WrittenMapping, WrittenRule, WrittenTerm
from llum.ontologies.loading import shipped_files
from llum.ontologies.schemas import KEYWORDS
from model.preferences.complaints import MESSAGES
from model.preferences.paths import segments_of
from pages.markdown import code, page, table

_FORMAT: Final = """## The format

A file is a JSON object about one ontology. Several files may be about the same one: their terms and rules are put \
together.

| member | what |
|---|---|
| `ontology` | the name, which requests give as `view`: up to 64 characters without white space and `/`, not with `_` \
at the beginning |
| `title`, `description` | what people read of it. One file must give them, and no other |
| `terms` | an object: the path of each setting, and what is known of it |
| `mappings` | a list: to which other ontologies rules lead |

A term has

| member | what |
|---|---|
| `title`, `description` | what people read of the setting, in plain words |
| `schema` | which values it takes: [JSON Schema, draft 7](https://json-schema.org/draft-07). Without it any |
| `unit` | what stands behind a number, such as `pt` |
| `local` | `true`: the setting belongs to one machine, and does not travel to another |

An item of `mappings` has

| member | what |
|---|---|
| `to` | the name of the other ontology |
| `rules` | a list of rules |

and a rule has

| member | what |
|---|---|
| `from`, `to` | the paths of what means the same: in the file's ontology, and in the other one |
| `values` | values that differ, in pairs `[here, there]`. Without it values are copied |
| `scale` | numbers that differ: `points`, two pairs `[here, there]` of numbers that mean the same, and `decimals`, \
two numbers: to how many places each side is rounded |
| `blocks` | the settings of applications: what the terms of applications begin with over there |

At most one of `values`, `scale` and `blocks` is there. A rule leads both ways. \
[Preferences in several ontologies](preferences-ontologies.md) says what rules do, and how a path is written.

**What is checked.** Files of a folder that `ontologies` ([configuration](configuration.md)) names are checked when \
llum starts. Each mistake gets a line with file, line and column, what is wrong and what to do; llum does not start \
until none is left. Files whose name does not end in `.json` are left alone. Checked are the form, each path and \
schema (its `default` too), that each term is there once and none inside one with a schema, and that rules lead from \
and to terms that there are. Where an ontology has no terms any path is taken. A term without a schema may be the \
heading of a group: others may be inside of it.

**One name, one term.** Whatever the view, a value is checked by the name of its term. So no two ontologies may have \
terms with a schema that begin with the same name."""

_VALIDATION: Final = """## Which bodies are valid

A body that is sent with PUT or POST is checked before anything else, in two stages; of a PATCH only what it sets. The \
first schema that the body does not fulfil ends the check.

1. **Shape.** It is an object with `contexts`. If that is an object, each of its members is an object with \
`preferences`, an object; `name`, if there, is a text. If `preferences` has a member `application`, that is an object \
whose names are URLs.
2. **Terms.** In the context `gpii-default`, each setting that has a term with a schema must fulfil it, in the order \
of the body; of `application`, if that is there, and else of `preferences`. A setting that has no term is taken as it \
is.

An integer may be written `1.0`. A number may be away from a multiple by a ten-thousand-millionth of a step.

What is wrong is listed in `errors` of the answer, with these members:

| member | what |
|---|---|
| `dataPath` | the names and indices that lead to the value, in the second stage from the term's name; of a missing \
member its name is the last |
| `schemaPath` | those that lead to the keyword in the schema |
| `rule` | the schema that holds the keyword |
| `message` | one of the following. Other keywords have none |"""


def ontologies_page() -> str:
    """Describe the format, validation, and all that llum brings along."""
    files = shipped_files()
    words = [(code(word), said.replace("{}", "…")) for word, said in MESSAGES.items()]
    return page(
        "Ontologies: files, terms, validation",
        "Which settings there are, what people read of them, which values they take, and what means the same in other "
        "ontologies: llum reads that from files. It brings some along, and [you can add your "
        "own](../how-to/add-your-own-terms.md).",
        _FORMAT,
        f"**Keywords of a schema**: {', '.join(map(code, sorted(KEYWORDS)))}. `enumLabels` are words for the values of "
        "`enum`, in the same order. Others are refused: a misspelt one would check nothing.",
        _VALIDATION,
        table(("keyword", "message"), words),
        "## What llum brings along",
        table(("ontology", "what"), [(code(file.ontology), f"{file.title}. {file.description}") for file in files]),
        *(part for file in files for part in _listed(file)),
    )


def _listed(file: OntologyFile) -> list[str]:
    rows = [_row(path, term) for path, term in file.terms.items()]
    terms = [f"### Terms of {file.ontology}", table(("term", "title", "what", "values"), rows)] if rows else []
    return [*terms, *(part for mapping in file.mappings for part in _mapped(file.ontology, mapping))]


def _row(path: str, term: WrittenTerm) -> tuple[str, str, str, str]:
    local = " Local: it does not travel." if term.local else ""
    values = ", ".join(_limits(term.schema, term.unit)) or "any"
    return _place(path), term.title, term.description + local, values


def _limits(schema: dict[str, Any], unit: str) -> list[str]:
    choices = schema.get("enum", schema.get("items", {}).get("enum", ()))
    said = [schema["type"]] if "type" in schema else []
    if choices:
        said.append("of " + " ".join(code(str(one)) for one in choices))
    words = {"minimum": "at least", "maximum": "at most", "multipleOf": "in steps of"}
    said += [f"{words[word]} {schema[word]}" for word in words if word in schema]
    if "default" in schema:
        said.append(f"usually {code(_shown(schema['default']))}")
    return [*said, f"in {unit}"] if unit else said


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _mapped(ontology: str, mapping: WrittenMapping) -> list[str]:
    rows = [(_place(rule.source), _place(rule.target), _how(rule)) for rule in mapping.rules]
    head = (f"in {ontology}", f"in {mapping.target}", "values")
    return [f"### From {ontology} to {mapping.target}", table(head, rows)]


def _place(path: str) -> str:
    return code(" → ".join(segments_of(path))) if path else "the whole set"


def _how(rule: WrittenRule) -> str:
    if rule.values is not None:
        return ", ".join(f"{code(_shown(here))} = {code(_shown(there))}" for here, there in rule.values)
    if rule.scale is not None:
        return ", ".join(f"{here} = {there}" for here, there in rule.scale.points)
    return f"blocks: `{rule.blocks}…`" if rule.blocks is not None else ""
