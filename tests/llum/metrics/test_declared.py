"""The names of metrics are as Prometheus wants them, and none can tell who somebody is."""

import re

import pytest

from llum.metrics.declared import METRICS, Metric

BOUNDED = {"partition", "code", "outcome", "face", "status", "version", "python", "stream"}
"""Labels with few values, however many people and apps there are."""


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_name_follows_the_conventions(metric: Metric) -> None:
    """Counters end with `_total`, `info` with `_info`, nothing else does; a sentence says what it is."""
    assert re.fullmatch(r"llum(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_info") == (metric.kind == "info")
    assert metric.description.endswith(".")


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_no_label_grows_with_people(metric: Metric) -> None:
    """Neither people nor apps nor their words."""
    assert set(metric.labels) <= BOUNDED
