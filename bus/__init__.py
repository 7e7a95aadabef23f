"""NATS: the connection, streams, subjects, key-value buckets, the embedded server. Nothing outside imports `nats`."""
