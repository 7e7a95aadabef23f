"""What an installation knows of preferences: what means the same in which ontologies, and which values there are."""

from typing import NamedTuple

from model.preferences.codex import Codex
from model.preferences.ontologies import Ontologies


class InstalledOntologies(NamedTuple):
    """The ontologies that llum brings along and those of the operator."""

    ontologies: Ontologies
    codex: Codex
    titles: dict[str, str] = {}
    """What people call each ontology."""
