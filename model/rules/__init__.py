"""Rules: their language, how one is decided, and their schedules."""
