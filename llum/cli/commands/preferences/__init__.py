"""`llum preferences`: a person's preferences, on this machine and in files."""
