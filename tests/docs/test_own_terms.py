"""The files of the how-to about terms of one's own."""

import re
from pathlib import Path
from typing import Any

import pytest

from llum.ontologies.loading import load
from llum.ontologies.mistakes import OntologyFault
from model.preferences.installed import InstalledOntologies

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-your-own-terms.md"
LEVEL = "https://terms.example/hearing/level"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Save the files as the page says."""
    texts = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for name, text in zip(("hearing.json", "player.json"), texts, strict=True):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def installed(folder: Path) -> InstalledOntologies:
    return load(folder)


def body(preferences: dict[str, Any]) -> dict[str, Any]:
    return {"contexts": {"gpii-default": {"preferences": preferences}}}


def test_the_terms_are_checked_and_shown(installed: InstalledOntologies) -> None:
    """As the page says."""
    assert installed.codex.errors(body({LEVEL: 40})) == []
    assert installed.codex.errors(body({LEVEL: 50})) != []
    term = installed.codex.term("flat", [LEVEL])
    assert term is not None
    assert (term.title, term.unit) == ("Loudness of the hearing loop", "dB")


def test_the_player_is_said_in_common_terms_and_back(installed: InstalledOntologies) -> None:
    """But for what belongs to its machine."""
    player = body({"sound": {"loop": "on", "level": 3, "device": "card 1"}})
    common = installed.ontologies.to_ontology(player, "player", "flat")
    assert common == body({"https://terms.example/hearing/loop": True, LEVEL: 20})
    assert installed.ontologies.to_ontology(common, "flat", "player") == body({"sound": {"loop": "on", "level": 3}})


def test_a_mistake_is_named_as_the_page_says(folder: Path) -> None:
    """What the page shows is what a terminal shows."""
    file = folder / "hearing.json"
    file.write_text(file.read_text().replace("minimum", "minimun"))
    with pytest.raises(OntologyFault) as fault:
        load(folder)
    assert f"```text\n{str(fault.value).replace(str(folder), 'ontologies')}\n```" in PAGE.read_text("utf-8")
