"""`python -m llum`."""

import sys

from llum.cli.main import main

sys.exit(main())
