"""`python -m llum`."""

import sys

from llum.cli import main

sys.exit(main())
