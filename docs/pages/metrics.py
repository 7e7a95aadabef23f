"""The page about metrics."""

from collections.abc import Sequence

from llum.metrics.counted_lines import ASK_MS, REQUEST_S
from llum.metrics.declared import OF_BOTH, OF_EDGE, OF_WORKER, Metric
from pages.markdown import code, page, table


def metrics_page() -> str:
    """Describe every metric."""
    return page(
        "Metrics",
        "A worker and an edge tell these to Prometheus, if `metrics_port` is set. "
        "[Watch llum with Prometheus](../how-to/watch-llum-with-prometheus.md) shows how, and what to look at.",
        "`GET /metrics` answers in the text format of Prometheus, or as OpenMetrics to whoever asks for that. Counters "
        "begin at 0 with each start of a process. A histogram `x` has `x_bucket`, `x_sum` and `x_count`.",
        "No metric names a person, an app, or what anybody has said. No label has more values when there are more "
        "people. The codes are [those of errors](errors.md).",
        "## Of a worker and of an edge",
        _table(OF_BOTH),
        "Beside these are those of every process on Linux: `process_cpu_seconds_total`, "
        "`process_resident_memory_bytes`, `process_virtual_memory_bytes`, `process_open_fds`, `process_max_fds`, "
        "`process_start_time_seconds`.",
        "## Of a worker",
        "Those with the label `partition` are told of each partition that the worker has. Several workers may have the "
        "same one. llum's own pings and probes are not counted.",
        _table(OF_WORKER),
        f"Buckets of `llum_ask_seconds`: {_list([each / 1000 for each in ASK_MS])}.",
        "## Of an edge",
        "A face is a part of the HTTP service, as [the code](modules.md) has it: `personis`, `preferences`, `oauth`, "
        "`home` and others. `http` is /health and /ready.",
        _table(OF_EDGE),
        f"Buckets of `llum_http_request_seconds`: {_list(REQUEST_S)}.",
    )


def _table(metrics: Sequence[Metric]) -> str:
    rows = [(code(one.name), one.kind, ", ".join(map(code, one.labels)) or "none", one.description) for one in metrics]
    return table(("metric", "kind", "labels", "what"), rows)


def _list(seconds: Sequence[float]) -> str:
    return ", ".join(f"{each:g}" for each in seconds) + " s"
