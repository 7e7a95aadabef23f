"""Letting apps in: `/authorize`, and the page of consent."""
