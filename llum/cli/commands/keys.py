"""`llum admin keys`: the ages of llum's own keys, and new ones in their place."""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings, variable

if TYPE_CHECKING:
    from bus.credentials import CredentialPart, Credentials
    from bus.key_rings import Ring
    from llum.client import Client
    from llum.keys.kinds import RingKind

OWN: Final = ("passwords", "callout")
RINGS: Final = ("inboxes", "sessions", "passkeys", "refresh", "notices")


@click.group()
def keys() -> None:
    """List and replace the keys and passwords of llum itself.

    \b
    passwords   of llum's own processes on the bus
    callout     the keys of the auth callout: issuer seed and xkey
    inboxes     what proves the inboxes of apps
    sessions    what proves the forms of people who are signed in
    passkeys    what proves the challenges that passkeys sign
    refresh     what refresh tokens of apps are computed with
    notices     what the keys that sign notices are made of
    """


@keys.command("list")
@json_option
@settings_options(*WHERE, "credentials")
def list_(settings: Settings, as_json: bool) -> None:
    """List the keys, when each was made, and what is still accepted beside it. No key is shown."""
    from llum.cli import render
    from llum.keys.kinds import WHAT
    from llum.keys.own import read_own
    from llum.keys.rings import read_rings

    found: dict[RingKind, Ring] = with_client(settings, read_rings)
    rows = [*_of_own(read_own(settings)), *(_of_ring(kind, ring) for kind, ring in found.items())]
    cells = [(row["key"], _age(row["made"]), WHAT[row["key"]], row["state"]) for row in rows]
    say({"keys": rows}, render.table(("key", "age", "what", "state"), cells), as_json=as_json)


@keys.command("rotate")
@click.argument("which", type=click.Choice((*OWN, *RINGS)), nargs=-1, metavar="[WHICH]...")
@click.option("--now", "now_only", is_flag=True, help="It has leaked: accept nothing of the key before from now on.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@settings_options(*WHERE, "credentials")
def rotate(settings: Settings, which: tuple[str, ...], now_only: bool, yes: bool, as_json: bool) -> None:
    """Put new keys in the place of WHICH, or of all. Says first what it costs. Nobody is signed out.

    If it breaks off, llum goes on working. Run it again: it goes on from there. The key of the log's digests never
    changes.
    """
    from bus import failpoints
    from llum.keys.kinds import COSTS, COSTS_NOW, KINDS

    failpoints.arm(os.environ.get(variable("failpoint")))
    wanted = [kind for kind in KINDS if kind in which or not which]
    costs = COSTS_NOW if now_only else COSTS
    for kind in wanted:
        click.echo(f"{kind}: {costs[kind]}", err=as_json)
    if not (yes or click.confirm("Rotate?", err=as_json)):
        raise click.ClickException("no key was changed")
    done: dict[str, str] = {kind: _rotate_ring(settings, kind, now_only=now_only) for kind in wanted if kind in RINGS}
    own = [kind for kind in wanted if kind in OWN]
    if own:
        done |= dict.fromkeys(own, _rotate_own(settings, own))
    say({"rotated": done}, "\n".join(f"{kind}: {said}" for kind, said in done.items()), as_json=as_json)


@keys.command("notice")
@click.argument("app")
@json_option
@settings_options(*WHERE)
def notice(settings: Settings, app: str, as_json: bool) -> None:
    """Print the key by which the receivers of notices of APP check signatures, and a new one that comes.

    A receiver accepts a notice if one of its two signatures is right. Keep the keys secret.
    """
    from identity.signing import Secrets, signing_key, signing_secrets
    from schemas.app_names import app_id
    from schemas.apps import check_app

    checked = check_app(app_id(app), "app")
    secrets: Secrets = with_client(settings, lambda client: signing_secrets(client.bus))
    used = signing_key(secrets.used, checked)
    coming = None if secrets.coming is None else signing_key(secrets.coming, checked)
    text = used if coming is None else f"{used}\n{coming} is the next one"
    say({"app": app, "key": used, "next_key": coming}, text, as_json=as_json)


def _rotate_ring(settings: Settings, kind: "RingKind", *, now_only: bool) -> str:
    from llum.keys.rings import rotate_ring
    from schemas.errors import Code, Refusal

    async def use(client: "Client") -> "Ring":
        return await rotate_ring(client, kind, now_only=now_only)

    try:
        return str(_of_ring(kind, with_client(settings, use))["state"])
    except Refusal as refusal:
        if refusal.code is not Code.ALREADY_EXISTS:
            raise
        return "left as it is: a new key waits to be used already. With --now it is replaced at once"


def _rotate_own(settings: Settings, parts: "Sequence[CredentialPart]") -> str:
    from llum.keys.own import rotate_own
    from llum.processes import logs

    logs.set_up("error", [logs.stderr_sink(settings.log_format)])
    if asyncio.run(rotate_own(settings, parts)) == "done":
        return "new, and in use"
    return (
        "written, and not in use yet. Put what `llum nats-config` prints into the configuration of the nats-server, "
        "start that anew, and run this command again. Until then both are tried"
    )


def _of_own(found: "Credentials") -> list[dict[str, Any]]:
    state = "in use" if found.before is None else "not finished: run `llum admin keys rotate` again"
    return [{"key": part, "made": found.made.get(part), "state": state} for part in OWN]


def _of_ring(kind: "RingKind", ring: "Ring") -> dict[str, Any]:
    now = time.time()
    return {"key": kind, "made": ring.keys[0].made, "state": _state(ring, now)}


def _state(ring: "Ring", now: float) -> str:
    from llum.cli import render

    coming, older = ring.coming(now), [key for key in ring.accepted(now) if key is not ring.keys[0]]
    said = ["in use" if coming is None else f"in use from {render.moment(coming.used_from)}"]
    if older:
        ends = [key.until for key in older]
        until = "older tokens expire" if None in ends else render.moment(max(end for end in ends if end))
        said.append(f"{len(older)} older {'is' if len(older) == 1 else 'are'} accepted until {until}")
    return "; ".join(said)


def _age(made: float | None) -> str:
    if made is None:
        return "unknown"
    days = (time.time() - made) / 86_400
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
