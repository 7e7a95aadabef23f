"""Every metric: its name, its kind, its labels, and what it says. What is not declared here cannot be told.

No label names a person or an app: what grows with people would be too much for Prometheus, and tell about them.
"""

from typing import Final, Literal, NamedTuple

MetricKind = Literal["counter", "gauge", "histogram", "info"]


class Metric(NamedTuple):
    """What is known of one metric, apart from its values."""

    name: str
    """As it is asked for, without what Prometheus adds to a histogram."""
    kind: MetricKind
    description: str
    labels: tuple[str, ...] = ()


OF_BOTH: Final = (
    Metric("llum_build_info", "info", "Always 1. Which llum this is, and which Python runs it.", ("version", "python")),
    Metric("llum_bus_connected", "gauge", "1 while the process is connected to nats-server, else 0."),
    Metric("llum_partitions", "gauge", "Partitions of the installation, whoever serves them."),
)

OF_PARTITIONS: Final = (
    Metric("llum_partition_answers", "gauge", "1 while asks are answered from this partition, else 0.", ("partition",)),
    Metric("llum_partition_primary", "gauge", "1 where this worker relays what leaves the partition.", ("partition",)),
    Metric(
        "llum_partition_lost",
        "gauge",
        "1 when the log does not hold all that was applied, or is another one.",
        ("partition",),
    ),
    Metric(
        "llum_partition_log_lag",
        "gauge",
        "Sequence of the partition's last command in the log, minus that of the last one applied. 0: all is applied. "
        "Partitions share sequences, so the commands that wait are fewer. Absent while nats-server does not answer.",
        ("partition",),
    ),
    Metric(
        "llum_partition_commit_lag",
        "gauge",
        "Sequence of the last command that was applied, minus that of the last one on the disk.",
        ("partition",),
    ),
    Metric(
        "llum_partition_applied_commands_total",
        "counter",
        "Commands that were applied since the partition was opened.",
        ("partition",),
    ),
    Metric(
        "llum_partition_waiting_commands",
        "gauge",
        "Commands that were read from the log and are not applied.",
        ("partition",),
    ),
    Metric(
        "llum_partition_uncommitted_commands",
        "gauge",
        "Commands that were applied and are not on the disk.",
        ("partition",),
    ),
    Metric(
        "llum_partition_effects_waiting",
        "gauge",
        "Commands of which something waits to leave: a rejection, a notice, a command to another model. Told by the "
        "primary.",
        ("partition",),
    ),
)

OF_WORKER: Final = (
    *OF_PARTITIONS,
    Metric(
        "llum_commands_total",
        "counter",
        "Commands that were applied within a minute of being stored, by what became of them: `accepted`, or the code "
        "of the refusal.",
        ("code",),
    ),
    Metric("llum_commands_repeated_total", "counter", "Commands among these that had been applied before."),
    Metric("llum_commands_caught_up_total", "counter", "Commands that were older: applied while catching up."),
    Metric(
        "llum_asks_total", "counter", "Asks, by what became of them: `answered`, or the code of the refusal.", ("code",)
    ),
    Metric("llum_ask_seconds", "histogram", "Time from an ask's arrival in the worker to its reply."),
    Metric("llum_commit_commands", "histogram", "Commands that were written to the disk in one transaction."),
    Metric("llum_commit_seconds", "histogram", "Time that each of these transactions took."),
    Metric("llum_commits_failed_total", "counter", "Transactions that the disk has not taken. They are tried again."),
    Metric("llum_commits_fail", "gauge", "1 when the last transaction has failed: the disk takes nothing."),
    Metric("llum_uncommitted_commands", "gauge", "Commands of all partitions that are applied and not on the disk."),
    Metric("llum_uncommitted_bytes", "gauge", "Bytes of the bodies of these commands."),
    Metric("llum_active_models", "gauge", "Models in memory."),
    Metric("llum_partitions_added_total", "counter", "Partitions that this worker has begun to serve."),
    Metric("llum_partitions_removed_total", "counter", "Partitions that it has let go."),
    Metric(
        "llum_notice_attempts_total",
        "counter",
        "Attempts to deliver a notice of a rule to its URL: `delivered`, or `failed` and made again.",
        ("outcome",),
    ),
    Metric("llum_notices_dead_total", "counter", "Notices that were given up. They are kept as dead letters."),
    Metric("llum_snapshots_made_total", "counter", "Snapshots of partitions that were made."),
    Metric("llum_snapshots_failed_total", "counter", "Snapshots that could not be made. They are tried again."),
    Metric(
        "llum_stream_messages",
        "gauge",
        "Messages of a stream: `LLUM_LOG_…` is the log, `KV_…` a bucket with its keys, `OBJ_…` the snapshots. Told by "
        "the primary of partition 0, and absent while nats-server does not answer.",
        ("stream",),
    ),
    Metric("llum_stream_bytes", "gauge", "Bytes of the messages of a stream. Told as the one above.", ("stream",)),
    Metric("llum_disk_free_bytes", "gauge", "Bytes that llum may still write to the disk of the data folder."),
    Metric("llum_disk_size_bytes", "gauge", "Bytes of that disk."),
)

OF_EDGE: Final = (
    Metric(
        "llum_http_requests_total",
        "counter",
        "Requests, by the face that has answered, and by the class of the status (`2xx`). The face `none`: no page is "
        "there.",
        ("face", "status"),
    ),
    Metric("llum_http_request_seconds", "histogram", "Time to answer a request, or until its stream ended.", ("face",)),
    Metric("llum_http_refusals_total", "counter", "Requests that were refused, by code.", ("code",)),
    Metric("llum_http_connections", "gauge", "Open connections of clients."),
)

METRICS: Final = {metric.name: metric for metric in (*OF_BOTH, *OF_WORKER, *OF_EDGE)}
