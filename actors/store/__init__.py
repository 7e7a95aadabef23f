"""What a partition keeps: one SQLite file, and the rows on their way to it."""
