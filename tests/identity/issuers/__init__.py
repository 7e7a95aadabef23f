"""Tests of `identity.issuers`."""
