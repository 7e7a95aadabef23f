"""The activity sensor: tells when the person at this machine becomes active and when idle."""
