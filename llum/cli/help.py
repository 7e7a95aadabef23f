"""What the help of a command shows: whole sentences, an example at its end, and lines that fit a narrow terminal."""

from collections.abc import Iterable
from typing import Final

import click

EXAMPLES: Final = {
    "up": "llum up --data-dir ~/llum --http-port 8080",
    "status": "llum status --json",
    "doctor": "llum doctor --data-dir ~/llum",
    "sign-in": "llum sign-in alice",
    "sign-out": "llum sign-out alice",
    "tell": 'llum tell alice Personal/firstname \'"Al"\' --time "5 minutes ago"',
    "withdraw": "llum withdraw alice Personal/firstname 17 --preview",
    "follows": "llum follows alice Personal/firstname 17",
    "ask": "llum ask alice Personal/firstname --explain",
    "asked": "llum asked alice Personal --since '7 days ago'",
    "check": "llum check alice lamp ask Personal/firstname",
    "grants": "llum grants alice",
    "revoke": "llum revoke alice lamp",
    "forget": "llum forget alice --component Personal/email",
    "preferences load": "llum preferences load keys.json safes.json",
    "preferences dump": "llum preferences dump gpii.json",
    "preferences show": "llum preferences show 2f0c4a9e-77a1-4a3c-9d5e-1b6f0e2d8c11",
    "preferences revoke": "llum preferences revoke alice_gpii_key --reason 'the card was lost'",
    "browse": "llum browse alice -c 'cd Personal; ls'",
    "config": "llum config --data-dir ~/llum",
    "worker": "llum worker --nats-url nats://192.0.2.7:4222",
    "edge": "llum edge --nats-url nats://192.0.2.7:4222 --http-port 8080",
    "callout": "llum callout --nats-url nats://192.0.2.7:4222 --credentials /etc/llum/credentials.json",
    "nats-config": "llum nats-config --credentials /etc/llum/credentials.json >> nats-server.conf",
    "preferences": "llum preferences capture alice --target gnome",
    "preferences capture": "llum preferences capture alice --target gnome",
    "preferences apply": "llum preferences apply alice --target gnome --dry-run",
    "preferences undo": "llum preferences undo --target gnome",
    "sensor": "llum sensor activity alice",
    "sensor activity": "llum sensor activity alice --at https://llum.example",
    "sensor log": "llum sensor log alice apple --time '10 minutes ago'",
    "example": "llum example log-llum",
    "example log-llum": "llum example log-llum --at http://127.0.0.1:8080",
    "mdef": "llum mdef check work.mdef",
    "mdef check": "llum mdef check work.mdef",
    "mdef apply": "llum mdef apply alice work.mdef",
    "mdef export": "llum mdef export alice alice.mdef",
    "admin": "llum admin person list",
    "admin account": "llum admin account list",
    "admin account link": "llum admin account link",
    "admin account list": "llum admin account list --json",
    "admin account invite": "llum admin account invite alice",
    "admin account recover": "llum admin account recover alice",
    "admin account make-administrator": "llum admin account make-administrator alice",
    "admin backups": "llum admin backups --drop nats://vault.example:4222/llum/monday",
    "admin backup": "llum admin backup /mnt/backups/llum-2026-11-26",
    "admin restore": "llum admin restore /mnt/backups/llum-2026-11-26 --forgotten .llum.before",
    "admin person": "llum admin person show alice",
    "admin person add": "llum admin person add alice --first-name Alice --last-name Smith",
    "admin person list": "llum admin person list --json",
    "admin person show": "llum admin person show alice",
    "admin person export": "llum admin person export alice alice.jsonl",
    "admin person import": "llum admin person import alice alice.jsonl",
    "admin person time-zone": "llum admin person time-zone alice Europe/Amsterdam",
    "admin person forget": "llum admin person forget alice",
    "admin app": "llum admin app list alice",
    "admin app add": "llum admin app add alice lamp --description 'The lamp on the desk'",
    "admin app remove": "llum admin app remove alice lamp",
    "admin app list": "llum admin app list alice",
    "admin app quota": "llum admin app quota alice lamp --rules 20",
    "admin app permit": "llum admin app permit alice lamp Work --ask --no-tell",
    "admin client": "llum admin client list",
    "admin client add": "llum admin client add log --name 'Food log' --redirect https://log.example/cb",
    "admin client list": "llum admin client list --json",
    "admin client show": "llum admin client show log",
    "admin client set": "llum admin client set log --redirect https://log.example/back --icon log.png",
    "admin client secret": "llum admin client secret log",
    "admin client delete": "llum admin client delete log",
    "admin token": "llum admin token alice --app lamp",
    "admin token make": "llum admin token make alice --app lamp --days 7",
    "admin token list": "llum admin token list alice",
    "admin token revoke": "llum admin token revoke alice 5c09bf",
    "admin rule": "llum admin rule list alice --suspended",
    "admin rule list": "llum admin rule list alice Work",
    "admin rule activate": "llum admin rule activate alice Work/desk 42",
    "admin drain": "llum admin drain host-3",
    "admin install": "llum admin install --nats-url nats://192.0.2.7:4222",
    "admin nats-config": "llum admin nats-config --credentials /etc/llum/credentials.json >> nats-server.conf",
    "admin log": "llum admin log accept 39",
    "admin log accept": "llum admin log accept 39",
    "admin log cut": "llum admin log cut --days 30",
    "admin snapshots": "llum admin snapshots --verify",
    "admin snapshot": "llum admin snapshot 39",
    "admin keys": "llum admin keys list",
    "admin keys list": "llum admin keys list --json",
    "admin keys rotate": "llum admin keys rotate passwords callout",
    "admin keys notice": "llum admin keys notice phonebook",
    "admin rejected": "llum admin rejected alice --app lamp",
    "admin upgrade": "llum admin upgrade --to 2",
    "admin dead": "llum admin dead alice",
}
"""By the words of the command."""


NARROW: Final = 60
"""Characters of a terminal on which what is explained stands above its explanation, not beside it."""


class HelpFormatter(click.HelpFormatter):
    """Lays help out so that no line breaks inside a word, on narrow terminals too."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms with their explanations."""
        if self.width >= NARROW:
            super().write_dl(rows, col_max, col_spacing)
            return
        for term, explanation in rows:
            self.write(f"{'':>{self.current_indent}}{term}\n")
            with self.indentation(), self.indentation():
                self.write_text(explanation)


def with_examples(command: click.Command, name: str) -> click.Command:
    """Let the help of a command, and of those in its group, end with an example, and lists say whole sentences."""
    example = EXAMPLES.get(name)
    if example is not None:
        command.epilog = f"\b\nExample:\n  {example}"
    command.short_help = (command.help or "").split("\n\n")[0].split(". ")[0].rstrip(".\n").replace("\n", " ") + "."
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            with_examples(one, f"{name} {inner}")
    return command
