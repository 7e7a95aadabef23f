"""The subjects of object stores, as NATS has laid them down (ADR-20). All others are spelled in `bus/subjects.py`."""


def object_stream(store: str) -> str:
    """Name the stream that is an object store."""
    return f"OBJ_{store}"


def is_object_stream(stream: str) -> bool:
    return stream.startswith("OBJ_")


def object_subjects(store: str) -> list[str]:
    """Give the subjects of an object store."""
    return [object_chunks(store, ">"), object_record(store, ">")]


def object_chunks(store: str, name: str) -> str:
    """Give the subject of an object's chunks; the name may be `*` for all."""
    return f"$O.{store}.C.{name}"


def object_record(store: str, encoded_name: str) -> str:
    """Give the subject of what is said of an object, by its name in base64; that may be `*` for all."""
    return f"$O.{store}.M.{encoded_name}"
