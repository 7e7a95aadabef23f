"""Importing without what a library would bring along."""

import subprocess
import sys

CERTIFICATES = """
import os, ssl
from bus.lean import without_certificates
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = "/somewhere"
with without_certificates():
    assert ssl.create_default_context().cert_store_stats()["x509_ca"] == 0
assert "SSL_CERT_FILE" not in os.environ and os.environ["SSL_CERT_DIR"] == "/somewhere"
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


def test_no_certificates_are_loaded_and_the_environment_is_as_before() -> None:
    """What is set stays set, and what is not is not."""
    assert run(CERTIFICATES) == ""


def test_modules_are_missing_or_late_for_a_while_only() -> None:
    """One that has been imported stays; a late one is imported when it is looked into."""
    assert run(MODULES) == "no csv"
