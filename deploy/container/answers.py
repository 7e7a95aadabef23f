#!/usr/bin/env python3
"""Say by the exit code whether an address answers with 200. For health checks: the image has no curl."""

import http.client
import sys
import urllib.error
import urllib.request

WITHIN_S = 5.0
"""Seconds for an answer. An edge that is not ready takes one."""


def main() -> int:
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=WITHIN_S):  # noqa: S310 - the address stands in a file of llum
            return 0
    except urllib.error.HTTPError as error:
        print(f"{error.code}: {error.read(500).decode('utf-8', 'replace')}")
    except (OSError, http.client.HTTPException) as error:
        print(error)
    return 1


sys.exit(main())
