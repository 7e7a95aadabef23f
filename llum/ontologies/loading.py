"""Reading the ontologies: those that llum brings along, and those of the operator, which are checked first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from llum.ontologies.format import OntologyFile, WrittenRule
from model.preferences.codex import Codex, Term
from model.preferences.installed import InstalledOntologies
from model.preferences.mappings import Copy, Linear, Mapping, MappingRule, Unpack, ValueTable
from model.preferences.ontologies import Ontologies
from model.preferences.paths import PathSegments, segments_of

SHIPPED: Final = Path(__file__).parent / "data"

_DECODER: Final = msgspec.json.Decoder(OntologyFile)


def load(folder: Path | None) -> InstalledOntologies:
    """Read llum's own ontologies and those in the folder. Raises a `Fault` that shows every mistake with its place."""
    files = shipped_files()
    if folder is not None:
        # Here: what names mistakes takes longer to import than all files of llum to read.
        from llum.ontologies.checking import checked_files

        files = [*files, *checked_files(folder, files)]
    return put_together(files)


def shipped_files() -> list[OntologyFile]:
    """Read the files that llum brings along. Its tests check them."""
    return [_DECODER.decode(path.read_bytes()) for path in sorted(SHIPPED.glob("*.json"))]


def put_together(files: Sequence[OntologyFile]) -> InstalledOntologies:
    """Make one whole of files that fit each other. Rules of several files for one way stand in the files' order."""
    terms: dict[str, dict[PathSegments, Term]] = {}
    rules: dict[tuple[str, str], list[MappingRule]] = {}
    for file in files:
        own = terms.setdefault(file.ontology, {})
        own.update({segments_of(path): Term(**msgspec.structs.asdict(one)) for path, one in file.terms.items()})
        for written in file.mappings:
            rules.setdefault((file.ontology, written.target), []).extend(map(rule_of, written.rules))
    mappings = [Mapping(source, target, tuple(those)) for (source, target), those in rules.items()]
    titles = {file.ontology: file.title for file in files if file.title is not None}
    return InstalledOntologies(Ontologies(mappings), Codex(terms, mappings), titles)


def rule_of(written: WrittenRule) -> MappingRule:
    """Give the rule that is written there."""
    source, target = written.source, written.target
    if written.values is not None:
        return ValueTable(source, target, written.values)
    if written.scale is not None:
        (first, there), (second, there_too) = written.scale.points
        return Linear(source, target, (first, second), (there, there_too), *written.scale.decimals)
    if written.blocks is not None:
        return Unpack(source, target, written.blocks)
    return Copy(source, target)
