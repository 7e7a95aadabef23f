"""A fake llum, and a folder for what is kept. No test reaches the keyring of the machine that it runs on."""

from collections.abc import AsyncIterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from llum.oauth.keeping import FOLDER, Kept
from tests.llum.oauth.fake_llum import FakeLlum


@pytest.fixture
async def fake() -> AsyncIterator[FakeLlum]:
    made = FakeLlum()
    async with made.server:
        yield made


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    keyring.set_keyring(NoKeyring())
    return tmp_path / FOLDER


@pytest.fixture
def kept() -> Kept:
    return Kept()
