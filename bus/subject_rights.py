"""Subjects that are named together, since a right to one of them is a right to all."""

from bus.level_subjects import all_raise_subjects
from bus.object_subjects import object_subjects
from bus.operator_subjects import OPERATORS, worker_subject
from bus.subjects import (
    SNAPSHOT_STORE,
    WORKER_BUCKET,
    WORKERS_OWN,
    api_subject,
    ask_subject,
    bucket_key,
    query_subject_of,
)


def written_by_workers() -> list[str]:
    """Give the subjects that workers alone write to. In `llum.audit` edges note sign-ins, too."""
    return [*WORKERS_OWN, bucket_key(WORKER_BUCKET, ">"), *object_subjects(SNAPSHOT_STORE)]


def for_operators() -> list[str]:
    """Give the subjects by which an operator undoes what is stored, has it counted in spite of a loss, or upgrades."""
    undoing = (api_subject(f"STREAM.{call}.>") for call in ("DELETE", "PURGE", "UPDATE", "RESTORE"))
    return [*OPERATORS, worker_subject(">"), *all_raise_subjects(), *undoing]


def access_subjects() -> list[str]:
    """Give the subjects on which it is asked what an app may do, before and after the mapping."""
    return [ask_subject("*", "*", "access"), f"{query_subject_of('*').removesuffix('>')}*.*.access"]
