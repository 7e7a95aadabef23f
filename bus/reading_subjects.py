"""The subjects on which a stream is read and watched, for those who may do nothing else."""

from bus.subjects import api_subject


def reading_subjects(stream: str) -> list[str]:
    """Give the subjects on which messages of a stream are asked for."""
    calls = (f"DIRECT.GET.{stream}", f"DIRECT.GET.{stream}.>", f"STREAM.MSG.GET.{stream}")
    return [api_subject(call) for call in calls]


def watching_subjects(stream: str) -> list[str]:
    """Give the subjects on which a watch of a stream is made and ended."""
    return [api_subject(f"CONSUMER.CREATE.{stream}"), api_subject(f"CONSUMER.DELETE.{stream}.*")]
