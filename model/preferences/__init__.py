"""Preferences: settings that mean the same in several ontologies. Pure functions over what is stored and sent."""
