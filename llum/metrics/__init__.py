"""Metrics for Prometheus, of a worker and of an edge. Off unless `metrics_port` is set.

declared.py  every metric: its name, kind and labels, and what it says
values.py    a value of one of them
counted_lines.py  counts commands, asks and requests, from their lines in the log
of_worker.py  what a worker tells
of_edge.py   what an edge tells
serving.py   serves them, if the settings say so
exposing.py  the text of Prometheus, and who answers `GET /metrics` (imports prometheus_client)
"""
