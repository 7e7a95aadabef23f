"""The person's time zone: set by the owner, shown, exported; the model knows the form of its name alone."""

import pytest

from schemas.commands import Import, MakeModel, SetResolver, SetTimeZone
from schemas.definitions import ImportedContext, ModelDefinition
from schemas.errors import Code
from schemas.queries import GetContext

from .given import Person


def shown(person: Person, *context: str) -> str | None:
    reply = person.describe(GetContext(context=list(context)))
    zone: str | None = reply.time_zone
    return zone


def moved(person: Person, time_zone: str | None, app: str = "llum") -> list[object]:
    return list(person.do(SetTimeZone(id="z", time_zone=time_zone), app).changes)


def test_the_zone_is_set_changed_and_unset() -> None:
    """The root shows it, no other context does; what else is set at the root stays."""
    person = Person()
    person.do(SetResolver(id="s", context=[], resolver="recent"))
    assert shown(person) is None
    for zone in ("Europe/Amsterdam", "America/Argentina/Buenos_Aires", "Etc/GMT+5", None):
        assert moved(person, zone)
        assert shown(person) == zone == person.live.time_zone
    assert shown(person, "Personal") is None
    assert person.describe(GetContext(context=[])).resolver == "recent"


def test_the_same_zone_again_changes_nothing() -> None:
    person = Person()
    moved(person, "Europe/Amsterdam")
    assert moved(person, "Europe/Amsterdam") == []


def test_only_an_owner_app_sets_it() -> None:
    """A zone says where a person lives."""
    person = Person()
    person.register("probe", ask=True, tell=True, make=True)
    assert person.refuses(SetTimeZone(id="z", time_zone="UTC"), "probe").code is Code.PERMISSION_DENIED


@pytest.mark.parametrize(
    "name", ["", " ", "../../etc/passwd", "/etc/localtime", "Europe/", "Europe/Amsterdam\n", "1", "a/b/c/d", "Zürich"]
)
def test_the_form_of_the_name_is_checked(name: str) -> None:
    """By the model, which has no list of zones: a log means the same for ever."""
    error = Person().refuses(SetTimeZone(id="z", time_zone=name))
    assert (error.code, error.field) == (Code.BAD_FIELD, "time_zone")


def test_a_zone_that_no_list_has_is_taken() -> None:
    """Whether there is one is looked up before the command is sent; lists change."""
    person = Person()
    moved(person, "Mars/Olympus")
    assert shown(person) == "Mars/Olympus"


def test_an_import_brings_the_zone_to_a_root_that_has_none() -> None:
    """One that is set stays; below a context there is none."""
    person = Person()
    there = ImportedContext(path=[], time_zone="Australia/Lord_Howe")
    person.do(Import(id="i", context=["Personal"], contexts=[there]))
    assert (shown(person), shown(person, "Personal")) == (None, None)
    person.do(Import(id="i", context=[], contexts=[there]))
    assert shown(person) == "Australia/Lord_Howe"
    person.do(Import(id="i", context=[], contexts=[ImportedContext(path=[], time_zone="UTC")]))
    assert shown(person) == "Australia/Lord_Howe"
    error = person.refuses(Import(id="i", context=[], contexts=[ImportedContext(path=[], time_zone="../x")]))
    assert error.field == "contexts[0].time_zone"


def test_an_export_holds_the_zone() -> None:
    """So an archive has it."""
    person, other = Person(), Person(ModelDefinition())
    moved(person, "Europe/Amsterdam")
    for page in person.export_all():
        other.do(Import(id="i", context=[], contexts=page.contexts))
    assert shown(other) == "Europe/Amsterdam"


def test_a_model_begins_without_a_zone() -> None:
    assert Person(ModelDefinition()).live.time_zone is None
    assert MakeModel(id="m", definition=ModelDefinition()).definition.contexts == []
