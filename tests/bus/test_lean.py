"""Importing without what a library would bring along."""

import subprocess
import sys

ALONE = """
import sys
from bus.lean import modules_alone
modules_alone("aiohttp")
from aiohttp import hdrs, web
from aiohttp.http import HttpVersion11
assert "aiohttp.client" not in sys.modules
import aiohttp
assert aiohttp.web is web
assert not hasattr(aiohttp, "nothing_like_it")
assert aiohttp.hdrs is hdrs and aiohttp.HttpVersion11 is HttpVersion11
print(aiohttp.ClientSession.__name__, aiohttp.__version__ != "", type(aiohttp).__name__)
modules_alone("aiohttp")
assert aiohttp is sys.modules["aiohttp"]
"""

MODULES = """
import sys
from bus.lean import later, without
import json
with without("csv", "json"):
    import json
    try:
        import csv
    except ImportError:
        print("no csv")
with later("colorsys"):
    import colorsys
assert "colorsys" not in sys.modules
assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
import csv
"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_modules_of_a_package_come_without_the_rest_until_that_is_wanted() -> None:
    """Then it is the package that everybody knows."""
    assert run(ALONE) == "ClientSession True module"


def test_modules_are_missing_or_late_for_a_while_only() -> None:
    """One that has been imported stays; a late one is imported when it is looked into."""
    assert run(MODULES) == "no csv"
