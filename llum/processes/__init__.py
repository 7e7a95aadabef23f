"""The processes of llum: how they start, find each other, log and end."""
