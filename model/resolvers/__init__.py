"""Resolvers: from evidence to a value."""
