"""`llum sign-in`: a command line speaks for a person, until it may no longer."""

import json
import re
from pathlib import Path

from tests.end_to_end.conftest import Llum


def test_a_new_person_is_offered_the_sign_in(shared_llum: Llum) -> None:
    """What making the model prints works as it stands, and then tell and ask do."""
    added = shared_llum.cli("admin", "person", "add", "ines").stdout
    (offered,) = re.findall(r"to speak for ines from here: llum (.*)", added)
    refused = said(shared_llum, "ask", "ines", "Personal/firstname")
    assert refused.startswith("llum: this command line has not signed in as ines. Sign in with `llum sign-in ines`.")
    assert shared_llum.cli(*offered.split()).stdout == "this command line speaks for ines now\n"
    shared_llum.cli("tell", "ines", "Personal/firstname", '"Ines"')
    assert shared_llum.cli("ask", "ines", "Personal/firstname").stdout == '"Ines"\n'


def said(llum: Llum, *arguments: str) -> str:
    """Run a command that fails, without signing in before; give the line that it prints."""
    ran = llum.run_as_it_is(*arguments)
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def test_a_command_line_speaks_for_one_person_alone(shared_llum: Llum) -> None:
    """Another one has to sign in as well."""
    for user in ("jana", "jens"):
        shared_llum.cli("admin", "person", "add", user)
    shared_llum.cli("sign-in", "jana")
    assert "has not signed in as jens" in said(shared_llum, "ask", "jens", "Personal")


def test_who_has_no_model_cannot_sign_in(shared_llum: Llum) -> None:
    """The command that makes one is named."""
    assert "no_such_model" in said(shared_llum, "sign-in", "nobody")


def test_a_revoked_sign_in_is_told_so(shared_llum: Llum) -> None:
    """With the command that signs in again, which works."""
    shared_llum.cli("admin", "person", "add", "karl")
    shared_llum.cli("sign-in", "karl")
    (token,) = json.loads(shared_llum.cli("admin", "token", "list", "karl", "--json").stdout)["credentials"]
    shared_llum.cli("admin", "token", "revoke", "karl", token["id"])
    refused = said(shared_llum, "ask", "karl", "Personal")
    assert "llum does not take the sign-in as karl: it was revoked" in refused
    assert "`llum sign-in karl`" in refused
    shared_llum.cli("sign-in", "karl")
    assert "firstname" in shared_llum.cli("ask", "karl", "Personal").stdout


def test_signing_out_revokes(shared_llum: Llum) -> None:
    """The token is worth nothing afterwards, also to whoever has copied it."""
    shared_llum.cli("admin", "person", "add", "lena")
    shared_llum.cli("sign-in", "lena")
    assert shared_llum.cli("sign-out", "lena").stdout == "this command line speaks no longer for lena\n"
    assert json.loads(shared_llum.cli("admin", "token", "list", "lena", "--json").stdout)["credentials"] == []
    assert shared_llum.cli("sign-out", "lena").stdout == "this command line did not speak for lena\n"


def test_the_operator_s_commands_need_its_credentials(shared_llum: Llum, tmp_path: Path) -> None:
    """Without them neither `llum admin` nor a sign-in does anything; a person who has signed in needs none."""
    shared_llum.cli("admin", "person", "add", "mona")
    shared_llum.cli("sign-in", "mona")
    missing = {"LLUM_CREDENTIALS": str(tmp_path / "none.json")}
    for command in (("admin", "person", "list"), ("sign-in", "mona"), ("ask", "mona", "Personal", "--app", "kitchen")):
        ran = shared_llum.run_as_it_is(*command, **missing)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "llum's own credentials are not here" in ran.stderr
        assert "LLUM_CREDENTIALS" in ran.stderr
    assert shared_llum.run_as_it_is("ask", "mona", "Personal", **missing).returncode == 0


def test_a_sensor_without_a_token_says_how_it_is_installed(shared_llum: Llum, tmp_path: Path) -> None:
    """Also where its app is known already, as after an installation by an earlier llum or on another machine."""
    shared_llum.cli("admin", "person", "add", "nora")
    assert "is not installed for nora here" in said(shared_llum, "sensor", "activity", "nora")
    shared_llum.cli("sensor", "activity", "nora", "--install")
    elsewhere = shared_llum.run_as_it_is("sensor", "activity", "nora", XDG_CONFIG_HOME=str(tmp_path))
    assert elsewhere.returncode == 1
    assert "`llum sensor activity nora --install`" in elsewhere.stderr
