"""`llum`, and `python -m llum`."""

import sys


def main() -> int:
    """Run the command line and give its exit code."""
    from bus.private_files import be_private
    from llum.processes.early import import_lean, start_for

    be_private()
    started = start_for(sys.argv[1:])
    import_lean()
    from llum.cli.main import main

    return main(started)


if __name__ == "__main__":
    sys.exit(main())
