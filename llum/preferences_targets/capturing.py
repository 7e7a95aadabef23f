"""A person's preferences in the ontology of a target: read from their model, and told to it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bus.as_app import new_id
from llum.failures import Fault
from llum.preferences_targets.planning import tree_of
from llum.preferences_targets.target import SettingPlace
from schemas.preferences import PreferencesReply, PutPreferences
from schemas.queries import Preferences

if TYPE_CHECKING:
    from llum.client import Client
    from model.preferences.ontologies import Ontologies


async def preferred(client: "Client", user: str, ontologies: "Ontologies", view: str) -> dict[str, dict[str, Any]]:
    """Give the settings of each set as one ontology has them, whatever they were said in. Raises as an ask does."""
    reply = await client.of(user).find(Preferences(), PreferencesReply)
    sets = ontologies.one_set(reply.sets, view)["contexts"].items()
    said = {set_id: one.get("preferences") for set_id, one in sets if isinstance(one, dict)}
    return {set_id: settings for set_id, settings in said.items() if isinstance(settings, dict)}


def chosen(sets: dict[str, dict[str, Any]], set_id: str, user: str) -> dict[str, Any]:
    """Give the settings of one set; of who has said nothing there are none. Raises a `Fault` if there are others."""
    if sets and set_id not in sets:
        raise Fault(
            f"{user} has no set of preferences named {set_id!r}", f"Name one of these with --set: {', '.join(sets)}."
        )
    return sets.get(set_id, {})


async def tell(
    client: "Client",
    user: str,
    ontologies: "Ontologies",
    view: str,
    set_id: str,
    settings: Sequence[tuple[SettingPlace, Any]],
) -> None:
    """Tell settings, all or none. What says the same in another ontology goes, so that no setting is there twice."""
    body = {"contexts": {set_id: {"preferences": tree_of(settings)}}}
    command = PutPreferences(
        id=new_id(),
        view=view,
        body=body,
        mode="patch",
        equivalents=ontologies.equivalents(body, view),
        evidence_type="implicit",
    )
    await client.send(user, command)
