"""Tests of `edge_http.issuers`."""
