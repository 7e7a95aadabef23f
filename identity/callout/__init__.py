"""The auth callout: nats-server asks llum who connects, and what they may say and hear."""
