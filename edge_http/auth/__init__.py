"""Who is this: credentials are taken off the request here. `identity` decides what they are worth."""
