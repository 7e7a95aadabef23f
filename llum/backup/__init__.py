"""Backups of an llum: made while it runs, read back before they count, and restored into a new folder."""
