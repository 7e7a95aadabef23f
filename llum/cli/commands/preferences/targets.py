"""What `capture`, `apply` and `undo` share: their options, who they speak as, how a plan is shown and agreed to."""

import functools
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
import msgspec

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, run_quietly, settings_options, with_person
from llum.failures import Fault
from llum.preferences_targets.target import NAMES, SettingsTarget, target_named
from llum.settings import Settings
from schemas.paths import check_token
from schemas.preferences import DEFAULT_SET

if TYPE_CHECKING:
    from llum.client import Client
    from llum.preferences_targets.planning import SettingPlan, TargetTerms
    from model.preferences.ontologies import Ontologies

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])

target_option = click.option("--target", type=click.Choice(NAMES), required=True, help="What is read or set.")


def agreeing_options(function: Function) -> Function:
    """Give a command the options about what is asked before it does anything, and about its answer."""
    dry = click.option("--dry-run", is_flag=True, help="Only show what would be done.")
    return dry(click.option("--yes", is_flag=True, help="Do not ask.")(json_option(function)))


def exchanging(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command between a model and a target its options, and call it with an `Exchange`."""

    @functools.wraps(function)
    def wrapper(
        settings: Settings,
        user: str,
        target: str,
        set_id: str,
        at: str | None,
        yes: bool,
        dry_run: bool,
        as_json: bool,
        **more: Any,
    ) -> None:
        function(Exchange(settings, user, target, set_id, at, Agreement(yes, dry_run, as_json)), **more)

    which = "Which context of the preferences."
    given: Callable[..., None] = settings_options(*WHERE, "ontologies")(wrapper)
    given = click.option("--at", metavar="URL", help="The address of an llum that somebody else runs.")(given)
    given = agreeing_options(given)
    given = click.option("--set", "set_id", default=DEFAULT_SET, show_default=True, metavar="NAME", help=which)(given)
    return click.argument("user")(target_option(given))


class TargetGround(NamedTuple):
    """What a plan is made from."""

    target: SettingsTarget
    ontologies: "Ontologies"
    known: "TargetTerms"


class Agreement(NamedTuple):
    """How a person agrees, and reads what was done."""

    yes: bool
    dry_run: bool
    as_json: bool

    def to(self, plan: "SettingPlan", question: str, sides: tuple[str, str] = ("now", "then")) -> bool:
        """Show a plan, and tell whether it is to be done. Raises `click.ClickException` for a no."""
        from llum.cli import layout
        from llum.cli.preference_plans import in_words

        is_asked = not (self.yes or self.dry_run) and bool(plan.changes)
        words = in_words(plan, sides, layout.terminal_width())
        if words and (is_asked or not self.as_json):
            click.echo(words, err=self.as_json)
        if is_asked and not self._agrees(question):
            raise click.ClickException("nothing was changed")
        return bool(plan.changes) and not self.dry_run

    def _agrees(self, question: str) -> bool:
        try:
            return click.confirm(question, err=self.as_json)
        except click.Abort:
            if sys.stdin.isatty():
                raise
            hint = "Add --yes to agree beforehand, or --dry-run to look only."
            raise Fault("nobody can be asked here, so nothing was changed", hint) from None

    def report(self, plan: "SettingPlan", text: str, *, done: bool) -> None:
        """Say at the end what was done, or that there was nothing to do."""
        if self.as_json or text:
            say(msgspec.to_builtins(plan) | {"done": done}, text, as_json=self.as_json)


class Exchange(NamedTuple):
    """What was typed: whose preferences, which of them, and where they go or come from."""

    settings: Settings
    user: str
    name: str
    set_id: str
    at: str | None
    agreement: Agreement

    def ground(self) -> TargetGround:
        """Give the target, and what the ontologies say of it."""
        from llum.ontologies.loading import load

        target, installed = target_named(self.name), load(self.settings.ontologies)
        return TargetGround(target, installed.ontologies, installed.codex.terms.get(target.view, {}))

    def speak(self, use: Callable[["Client"], Awaitable[Result]]) -> Result:
        """Run a function with a client that speaks for the person: at the llum of the settings, or at another's."""
        if self.at is None:
            return with_person(self.settings, self.user, use)
        from llum.failures import Fault
        from llum.people.remote_sign_ins import find_remote, remote_command, with_remote

        kept = find_remote(check_token(self.user, "user"), self.at)
        if kept is None:
            hint = f"Sign in with `{remote_command(self.user, self.at)}`."
            raise Fault(f"this command line has not signed in as {self.user} at {self.at}", hint)
        return run_quietly(self.settings, lambda: with_remote(kept, self.settings.nats_url, use))

    def preferred(self, ground: TargetGround) -> dict[str, dict[str, Any]]:
        """Give the person's sets in the ontology of the target."""
        from llum.preferences_targets.capturing import preferred

        return self.speak(lambda client: preferred(client, self.user, ground.ontologies, ground.target.view))
