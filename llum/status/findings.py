"""What `llum doctor` can find, each with a code that stays: `llum doctor --json` gives it, and docs list it."""

from typing import Final

import msgspec

MISTAKES: Final = {
    "bus_away": "No nats-server answers where `LLUM_NATS_URL` says, or no llum runs on the data folder.",
    "bus_refuses": "nats-server does not take llum's credentials: they are of another installation, or were replaced.",
    "not_installed": "This nats-server has no llum: `LLUM_NATS_URL` names the wrong one, or nobody has installed it.",
    "wrong_partitions": "nats-server's mappings are missing, or they or `LLUM_PARTITIONS` are of another number.",
    "stream_changed": "Somebody has changed a stream of llum's such that llum cannot work with it.",
    "store_full": "JetStream may store little more: its own limit is nearly reached.",
    "disk_full": "The disk of the data folder is nearly full.",
    "sync_late": "nats-server writes to the disk later than the setting `sync` says: a power cut loses more.",
    "clock_off": "The clock of this machine and that of nats-server differ.",
    "files_open": "Others on this machine can read llum's credentials or data.",
    "few_descriptors": "A process may open too few files: it will fail when more partitions or clients come.",
    "left_drained": "A worker is drained and serves nothing; somebody has forgotten to undo it.",
    "too_few_workers": "There are fewer workers than each partition is to be served by.",
    "versions_differ": "Workers of different versions run side by side.",
    "snapshot_old": "A partition has new commands, and its snapshot is missing or old: a new worker would take long.",
    "metrics_open": "Metrics can be read from other machines, without a login.",
}
"""What operators get wrong most often."""

FAULTS: Final = {
    "not_ready": "Some people's asks are not answered, or nothing is applied.",
    "log_lost": "The log has lost commands.",
    "copies_differ": "Copies of a partition differ; one of them is set aside.",
    "shard_damaged": "What was read from a shard is not what was written.",
}
"""What breaks without anybody's doing."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    code: str
    """One of `MISTAKES` or `FAULTS`."""
    what: str
    advice: str
    """What to do."""


def found(code: str, what: str, advice: str) -> Finding:
    """Make a finding. Its code is one of those that are listed."""
    assert code in MISTAKES or code in FAULTS, f"{code} is listed"
    return Finding(code, what, advice)
