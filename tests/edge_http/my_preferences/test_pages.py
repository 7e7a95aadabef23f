"""A person's page about preferences: what it says, and what its forms change."""

from bus.as_app import new_id
from identity.preferences.join_notes import JoinNote, JoinNotes
from schemas.commands import Forget
from tests.edge_http.my_preferences.conftest import FONT_SIZE, Person, row_of, words_of

KEY = "carla of the library"


async def test_the_page_says_in_plain_words_what_is_set_by_whom_and_what_it_was_before(alice: Person) -> None:
    """Titles and units are the codex's. What it does not know has its own name. A stranger sees nothing."""
    await alice.set_by("phone", {FONT_SIZE: 12})
    await alice.set_by("desk", {FONT_SIZE: 18, "http://odd.example/glow": {"deep": [1, 2]}})
    page = await alice.open("/my-preferences")
    known, odd = words_of(row_of(page, "Size of text")), words_of(row_of(page, "deep"))
    assert "18 pt Set by desk" in known
    assert "Before: 12 pt, set by phone" in known
    assert "[1,2]" in odd.replace(" ", "")
    assert "glow" in page.text
    assert "http://odd\\.example/glow.deep" in odd, "its name, as programs write it"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in page.raw
    alice.cookies.clear()
    assert (await alice.open("/my-preferences")).location.startswith("/sign-in?then=")


async def test_a_change_counts_for_programs_in_every_ontology(alice: Person) -> None:
    """It goes as her own app, in place of what said the same elsewhere. The page says so."""
    await alice.set_by("phone", {FONT_SIZE: 12})
    await alice.set_by("desk", {"display": {"screenEnhancement": {"fontSize": 14}}}, "ISO24751")
    assert "(ISO24751)" in (await alice.open("/my-preferences")).text
    changed = await alice.change("Size of text", "20")
    page = await alice.open(changed.location.partition("#")[0])
    assert "That is changed" in page.text
    assert "20 pt Set by you" in words_of(row_of(page, "Size of text"))
    assert page.text.count("<h3>Size of text</h3>") == 1, "what says the same is there once"


async def test_what_the_codex_does_not_allow_is_shown_next_to_what_was_typed(alice: Person) -> None:
    """Nothing changes. What was typed stays, to be mended."""
    await alice.set_by("phone", {"http://registry.gpii.net/common/cursorSize": 0.5})
    page = await alice.change("Size of the pointer", "7")
    row = row_of(page, "Size of the pointer")
    assert page.status == 400
    assert "must be less than 1" in words_of(row) or "1 or less" in words_of(row)
    assert 'value="7"' in row
    assert "<details open>" in row
    assert "0.5" in words_of(row_of(await alice.open("/my-preferences"), "Size of the pointer"))


async def test_a_preference_is_unset_and_another_one_is_added(alice: Person) -> None:
    """What is unset is not on the page any more. What may be added stands in a list, by its title."""
    await alice.set_by("phone", {FONT_SIZE: 12})
    gone = await alice.change("Size of text", "12", do="unset")
    page = await alice.open(gone.location)
    assert "<h3>Size of text</h3>" not in page.text
    assert ">Captions</option>" in page.raw
    adding = await alice.open("/my-preferences?add=http://registry\\.gpii\\.net/common/captions/enabled")
    term = "http://registry\\.gpii\\.net/common/captions/enabled"
    saved = await alice.send(
        adding, "/my-preferences", safe="", view="flat", set="gpii-default", term=term, value="1"
    )  # fmt: skip
    assert "on Set by you" in words_of(row_of(await alice.open(saved.location), "Captions"))


async def test_no_other_site_changes_anything(alice: Person) -> None:
    """A form without the token of the page is refused, as is one from elsewhere."""
    await alice.set_by("phone", {FONT_SIZE: 12})
    fields = {"safe": "", "view": "flat", "set": "gpii-default", "term": "x", "value": "1"}
    assert (await alice.post("/my-preferences", data=fields)).status == 403
    page = await alice.open("/my-preferences")
    alice.origin = "https://evil.example"
    assert (await alice.send(page, "/my-preferences", **fields)).status == 403
    assert (await alice.send(page, "/my-preferences/join", key=KEY, label="card")).status == 403


async def test_a_key_is_joined_and_taken_back(alice: Person) -> None:
    """What it opens is hers, with who set it. It goes on to work, until she takes it back on the page of her apps."""
    await alice.make_safe(KEY, {FONT_SIZE: 30})
    page = await alice.open("/my-preferences/join")
    joined = await alice.send(page, "/my-preferences/join", key=f" {KEY} ", label="Library card")
    assert joined.location == "/my-preferences/joined/Library%20card?done=joined"
    page = await alice.open(joined.location)
    assert "30 pt Set by whoever has the key" in words_of(row_of(page, "Size of text"))
    await alice.change("Size of text", "20", path="/my-preferences/joined/Library%20card")
    async with alice.site.http.get(f"/preferences/{KEY}") as response:
        assert (await response.json())["contexts"]["gpii-default"]["preferences"] == {FONT_SIZE: 20}

    apps = await alice.open("/list_apps")
    assert "Key of preferences: Library card" in apps.text
    app = await alice.site.authenticator.preference_keys.key_app(KEY)
    revoking = await alice.open(f"/list_apps/{app}/revoke")
    await alice.send(revoking, "/list_apps_save", id="revoke", value=app)
    async with alice.site.http.get(f"/preferences/{KEY}") as response:
        assert response.status == 403
    assert "Library card" in (await alice.open("/my-preferences")).text, "what it had opened stays"


async def test_a_key_that_cannot_be_joined_says_why(alice: Person) -> None:
    """Next to the field that is to be mended; the label stays."""
    for one in (KEY, "joined", "revoked"):
        await alice.make_safe(one, {FONT_SIZE: 30})
    await alice.make_safe("example", {FONT_SIZE: 30}, "snapset")
    await alice.site.authenticator.preference_keys.revoke("revoked")
    form = await alice.open("/my-preferences/join")
    await alice.send(form, "/my-preferences/join", key="joined", label="taken")
    for key, label, field, said in UNJOINED:
        page = await alice.send(form, "/my-preferences/join", key=key, label=label)
        assert said in page.error(field)
        assert page.value("label") == label


async def test_a_key_that_is_being_joined_is_no_example(alice: Person) -> None:
    """She is told to come again. One without a model is told that it is not the key that is wrong."""
    keys = alice.site.authenticator.preference_keys
    await alice.make_safe(KEY, {FONT_SIZE: 30})
    note = JoinNote(await keys.safe_user(KEY), KEY, "bob", "card", "", 0.0, "an attempt")
    held = await JoinNotes(keys.store.bucket).write(note)
    form = await alice.open("/my-preferences/join")
    page = await alice.send(form, "/my-preferences/join", key=KEY, label="card")
    assert page.status == 503
    assert "Come again in a minute" in page.text
    assert page.value("label") == "card"
    await JoinNotes(keys.store.bucket).drop(held)
    await alice.site.llum.do(Forget(id=new_id()), "alice")
    page = await alice.send(form, "/my-preferences/join", key=KEY, label="card")
    assert page.status == 404
    assert "You have no model here yet" in page.text
    assert 'id="error-key"' not in page.raw


UNJOINED = (
    ("nobody's", "card", "key", "Nothing is stored under this key"),
    ("joined", "card", "key", "joined already"),
    (KEY, "taken", "label", "under this name already"),
    ("revoked", "card", "key", "was revoked"),
    ("example", "card", "key", "an example that nobody can change"),
    ("a\tkey", "card", "key", "can be no key"),
    (KEY, "_card", "label", "cannot be used"),
)


async def test_keys_are_not_guessed(alice: Person) -> None:
    """After ten wrong ones she has to wait. That somebody is signed in is known for five minutes only."""
    form = await alice.open("/my-preferences/join")
    pages = [await alice.send(form, "/my-preferences/join", key=f"guess {n}", label="card") for n in range(11)]
    assert [page.status for page in pages] == [404] * 10 + [429]
    assert "too often" in pages[-1].text
    assert int(pages[-1].headers["Retry-After"]) > 0
