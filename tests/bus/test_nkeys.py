"""Keys of NATS as text, signatures, and sealed messages."""

import pytest

from bus.nkeys import CurveKey, KeyTextError, SealError, SigningKey, public_bytes, public_text, verify

SEED, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.mark.parametrize(("kind", "letter"), [("account", "A"), ("server", "N"), ("user", "U"), ("curve", "X")])
def test_a_public_key_is_written_with_its_kind_in_front_and_read_back(kind: str, letter: str) -> None:
    """As nats-server writes it: 56 characters."""
    text = public_text(kind, SEED)  # type: ignore[arg-type]
    assert text[0] == letter
    assert len(text) == 56
    assert public_bytes(kind, text) == SEED  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "A", "not base32!", public_text("user", SEED), public_text("account", SEED)[:-1] + "A"]
)
def test_what_is_not_the_key_of_that_kind_is_refused(text: str) -> None:
    """Another kind, a wrong check sum, no key at all."""
    with pytest.raises(KeyTextError):
        public_bytes("account", text)


def test_a_signature_is_good_for_what_was_signed_by_whom() -> None:
    """And for nothing else."""
    key = SigningKey(SEED)
    signature = key.sign(b"said")
    assert verify(key.public, b"said", signature)
    assert not verify(key.public, b"other", signature)
    assert not verify(SigningKey(OTHER).public, b"said", signature)
    assert not verify(key.public, b"said", b"short")


def test_what_is_sealed_is_opened_by_the_receiver_alone() -> None:
    """And only as coming from whoever sealed it."""
    sender, receiver, third = CurveKey(SEED), CurveKey(OTHER), CurveKey(bytes(32))
    sealed = sender.seal(b"secret", receiver.public)
    assert b"secret" not in sealed
    assert receiver.open(sealed, sender.public) == b"secret"
    for opener, claimed in ((third, sender.public), (receiver, third.public)):
        with pytest.raises(SealError):
            opener.open(sealed, claimed)
    with pytest.raises(SealError):
        receiver.open(b"not sealed", sender.public)
    with pytest.raises(SealError):
        receiver.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), sender.public)
