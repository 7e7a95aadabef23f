"""Where backups are, and the lists of forgotten people beside them."""
