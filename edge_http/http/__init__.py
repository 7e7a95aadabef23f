"""HTTP itself: bodies, responses, errors, health. Every face uses it."""
