"""Settings: one precedence, and mistakes that say what to do."""

from pathlib import Path

import pytest

from llum import settings
from llum.settings import SETTINGS, Settings
from llum.settings_file import CONFIG_VARIABLE
from llum.settings_loading import load, load_with_origins
from schemas.errors import Code, Refusal


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(settings.variable(name), raising=False)
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


def test_names_that_scripts_rely_on_stay() -> None:
    """The documented variables exist, with the documented defaults."""
    defaults = {settings.variable(name): setting.default for name, setting in SETTINGS.items()}
    assert defaults["LLUM_DATA_DIR"] == Path(".llum")
    assert defaults["LLUM_HTTP_PORT"] == 8080
    assert defaults["LLUM_NATS_PORT"] == 4222
    assert defaults["LLUM_NATS_URL"] is None
    assert defaults["LLUM_PUBLIC_URL"] is None
    assert defaults["LLUM_PARTITIONS"] == 64


def test_option_before_environment_before_file_before_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest place wins, and each value says where it came from."""
    assert load_with_origins()["http_port"] == (8080, "default", "")

    Path("llum.toml").write_text("http_port = 8001\n")
    assert load_with_origins()["http_port"].value == 8001
    assert load_with_origins()["http_port"].origin == "file"

    monkeypatch.setenv("LLUM_HTTP_PORT", "8002")
    assert load_with_origins()["http_port"] == (8002, "environment", "LLUM_HTTP_PORT")

    assert load_with_origins({"http_port": "8003"})["http_port"] == (8003, "option", "--http-port")


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """`LLUM_NATS_URL=` in a shell means that there is none."""
    monkeypatch.setenv("LLUM_NATS_URL", "")
    assert load().nats_url is None


def test_config_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LLUM_CONFIG and --config name a file; the latter goes before."""
    (tmp_path / "a.toml").write_text('data_dir = "from-a"\n')
    (tmp_path / "b.toml").write_text('data_dir = "from-b"\n')
    monkeypatch.setenv("LLUM_CONFIG", str(tmp_path / "a.toml"))
    assert load().data_dir == Path("from-a")
    assert load(config=tmp_path / "b.toml").data_dir == Path("from-b")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_port", "eighty"),
        ("http_port", "65536"),
        ("http_port", "-1"),
        ("partitions", "0"),
        ("partitions", "1e9"),
        ("nats_url", "127.0.0.1"),
        ("public_url", "llum.example"),
        ("sync", "sometimes"),
        ("time_zone", "here and there"),
        ("log_level", "loud"),
        ("data_dir", "a\0b"),
    ],
)
def test_bad_value_names_setting_origin_and_what_is_expected(name: str, value: str) -> None:
    """One line: which setting, where it was set, what it should be."""
    with pytest.raises(Refusal) as caught:
        load({name: value})
    assert caught.value.code is Code.BAD_FIELD
    assert caught.value.error.field == name
    assert settings.option(name) in caught.value.error.message
    assert SETTINGS[name].expected in caught.value.error.message


def test_bad_value_in_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person finds what to change."""
    monkeypatch.setenv("LLUM_PARTITIONS", "many")
    with pytest.raises(Refusal, match=r"LLUM_PARTITIONS is 'many', expected a number"):
        load()


def test_a_time_zone_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only look like one; where it was set is said, and what was perhaps meant."""
    monkeypatch.setenv("LLUM_TIME_ZONE", "Europe/Amsterdm")
    with pytest.raises(Refusal, match=r"LLUM_TIME_ZONE: there is no time zone Europe/Amsterdm.*did you mean") as caught:
        load()
    assert caught.value.error.field == "time_zone"
    monkeypatch.setenv("LLUM_TIME_ZONE", "Europe/Amsterdam")
    assert load().time_zone == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("http_prot = 1", "http_port"),
        ("http_port = ", "is not TOML"),
        ('http_port = "8080"', "http_port in llum.toml"),
        ("[section]\nx = 1", "unknown setting 'section'"),
    ],
)
def test_bad_file_is_refused_with_what_is_wrong(content: str, told: str) -> None:
    """Unknown names get the nearest known one as a hint; text in place of a number is a mistake in a file."""
    Path("llum.toml").write_text(content)
    with pytest.raises(Refusal) as caught:
        load()
    assert told in str(caught.value)


def test_named_file_that_is_not_there_is_refused() -> None:
    """A file that was asked for is not passed over."""
    with pytest.raises(Refusal, match=r"cannot read nowhere\.toml"):
        load(config=Path("nowhere.toml"))


def test_another_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a supervisor gives its children as environment makes the same settings."""
    given = Settings(http_port=0, nats_url="nats://a:1", public_url="https://x.example", sync="10s", partitions=7)
    for name, value in given.as_environment().items():
        monkeypatch.setenv(name, value)
    assert load() == given


def test_password_in_an_address_is_not_shown() -> None:
    """Not in listings, not in errors."""
    assert settings.hide_password("nats://user:secret@host:4222") == "nats://***@host:4222"
    assert settings.hide_password("nats://u:a,b@one,nats://u:s@two") == "nats://***@one,nats://***@two"
    with pytest.raises(Refusal) as caught:
        load({"nats_url": "http://user:secret@host"})
    assert "secret" not in str(caught.value)
