"""The streams of an installation, as nats-server is told to make them."""

from typing import Any, Final

from bus import object_subjects, subjects

FIRST_SEQUENCE: Final = 2
"""The first sequence of llum's streams, so that there is always something before the first message to purge."""

REJECTED_KEPT_S: Final = 7 * 24 * 3600
"""Seconds that a rejection is kept: a week to notice what a sensor does wrong."""

REJECTED_REPEATS_KNOWN_S: Final = 120
"""Seconds in which a rejection that is relayed again is recognised: longer than a worker takes to restart."""

REGISTRATIONS_KEPT_S: Final = 600
"""Seconds that an announcement of a registration is kept: those who watch get it at once, others ask the worker."""

NOTICE_REPEATS_KNOWN_S: Final = 600
"""Seconds in which a notice that is relayed again is recognised. Later it is delivered twice."""

MAX_NOTICES_PER_RULE: Final = 1000
"""Notices of one rule that may wait to be delivered; further ones become dead letters at once."""

MAX_FIRINGS_PER_RULE: Final = 64
"""Firings of one rule that may wait for a worker. One does, or a few where two workers have both planned."""

DEAD_LETTERS_KEPT_S: Final = 30 * 24 * 3600
"""Seconds that a notice which could not be delivered is kept: a month to find out and tell the receiver."""

_NS: Final = 1_000_000_000


def wanted_of(stream: dict[str, Any], replicas: int) -> dict[str, Any]:
    """Give what nats-server is asked for to make a stream."""
    return {"first_seq": FIRST_SEQUENCE, "num_replicas": replicas, **stream}


def log_stream(index: int, log_streams: int, partitions: int) -> dict[str, Any]:
    """Describe a log stream: no schedules, TTLs, rollups or counters, as apps could write as others with them."""
    return {
        "name": subjects.log_stream(index),
        "subjects": subjects.log_subjects(index, log_streams, partitions),
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "duplicate_window": _NS // 10,
        "allow_direct": True,
    }


def own_streams() -> list[dict[str, Any]]:
    """Describe the streams that only llum itself writes to."""
    rejected = {
        "name": subjects.REJECTED_STREAM,
        "subjects": [subjects.rejected_subject("*", "*")],
        "storage": "file",
        "retention": "limits",
        "max_age": REJECTED_KEPT_S * _NS,
        "duplicate_window": REJECTED_REPEATS_KNOWN_S * _NS,
        "allow_direct": True,
    }
    registrations = {
        "name": subjects.REGISTRATIONS_STREAM,
        "subjects": [subjects.registration_subjects(), subjects.filler_subject(subjects.REGISTRATIONS_STREAM)],
        "storage": "file",
        "retention": "limits",
        "max_age": REGISTRATIONS_KEPT_S * _NS,
        "max_msgs_per_subject": 1,
        "allow_direct": True,
    }
    buckets = (
        subjects.TOKEN_BUCKET,
        subjects.FAMILY_BUCKET,
        subjects.APP_PASSWORD_BUCKET,
        subjects.ACCOUNT_BUCKET,
        subjects.SESSION_BUCKET,
        subjects.TEMPORARY_BUCKET,
        subjects.FLOW_BUCKET,
        subjects.CLIENT_BUCKET,
        subjects.PREFERENCE_BUCKET,
        subjects.RELAYED_BUCKET,
        subjects.LOG_SUM_BUCKET,
        subjects.ERASURE_BUCKET,
        subjects.LOG_CUT_BUCKET,
        subjects.FORGOTTEN_BUCKET,
    )
    audit = {
        "name": subjects.AUDIT_STREAM,
        "subjects": [subjects.audit_subject("*")],
        "storage": "file",
        "retention": "limits",
        "max_age": subjects.ASKED_KEPT_DAYS * 24 * 3600 * _NS,
        "max_msgs_per_subject": subjects.ASKED_KEPT_MESSAGES,
        # What one minute has brought about many people goes in one write to the disk.
        "allow_atomic": True,
        "allow_direct": True,
    }
    # What workers say of themselves is said anew all the time: nothing is lost with it, and no disk need take it.
    workers = {**bucket_stream(subjects.WORKER_BUCKET), "storage": "memory"}
    own = [rejected, registrations, audit, *_effect_streams(), object_store_stream(subjects.SNAPSHOT_STORE), workers]
    return [*own, *(bucket_stream(name) for name in buckets)]


def _effect_streams() -> list[dict[str, Any]]:
    """Give the streams that llum alone writes to: no app may publish on their subjects."""
    effects = {
        "name": subjects.EFFECTS_STREAM,
        "subjects": [subjects.notice_subjects_of("*")],
        "storage": "file",
        "retention": "workqueue",
        "discard": "new",
        "max_msgs_per_subject": MAX_NOTICES_PER_RULE,
        "discard_new_per_subject": True,
        "duplicate_window": NOTICE_REPEATS_KNOWN_S * _NS,
        "allow_direct": True,
    }
    schedules = {
        "name": subjects.SCHEDULES_STREAM,
        "subjects": [subjects.schedule_subjects_of("*"), subjects.fired_subjects()],
        "storage": "file",
        "retention": "limits",
        "max_msgs_per_subject": MAX_FIRINGS_PER_RULE,
        "allow_rollup_hdrs": True,
        "allow_msg_ttl": True,
        "allow_msg_schedules": True,
        "allow_direct": True,
    }
    dead_letters = {
        "name": subjects.DEAD_LETTERS_STREAM,
        "subjects": [subjects.dead_letter_subject("*", "*")],
        "storage": "file",
        "retention": "limits",
        "max_age": DEAD_LETTERS_KEPT_S * _NS,
        "max_msgs_per_subject": MAX_NOTICES_PER_RULE,
        "duplicate_window": NOTICE_REPEATS_KNOWN_S * _NS,
        "allow_direct": True,
    }
    return [effects, schedules, dead_letters]


def bucket_stream(name: str) -> dict[str, Any]:
    """Give the stream that is a bucket: one value per key, kept for ever unless its key has a lifetime."""
    return {
        "name": subjects.bucket_stream(name),
        "subjects": [subjects.bucket_key(name, ">")],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_msgs_per_subject": 1,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
        "allow_msg_ttl": True,
    }


def object_store_stream(store: str) -> dict[str, Any]:
    """Give the stream that is an object store."""
    return {
        "name": object_subjects.object_stream(store),
        "subjects": object_subjects.object_subjects(store),
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    }
