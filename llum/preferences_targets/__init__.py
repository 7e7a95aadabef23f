"""What on this machine can be set as a person prefers it, each behind the same small port. There is one: GNOME."""
