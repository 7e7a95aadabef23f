"""Subjects on which operators speak to workers. No app may publish there, nor may an edge."""

from typing import Final

OPERATORS: Final = ("llum.accept.>", "llum.scrub.>", "llum.snapshot.>", "llum.people.>")
"""What an operator alone asks of those who hold a partition."""


def accept_subject_of(partition: int) -> str:
    """Address a partition that is refused, for the operator's word that the log counts."""
    return f"llum.accept.{partition}"


def scrub_subject_of(partition: int) -> str:
    """Address all who hold a partition, for an operator who wants their shards read."""
    return f"llum.scrub.{partition}"


def snapshot_subject_of(partition: int) -> str:
    """Address the primary of a partition, for a snapshot that is to be made now."""
    return f"llum.snapshot.{partition}"


def people_subject_of(partition: int) -> str:
    """Address any who holds a partition, for those who have a model there."""
    return f"llum.people.{partition}"


def worker_subject(worker: str) -> str:
    """Name the subject on which an operator speaks to one worker."""
    return f"llum.worker.{worker}"
