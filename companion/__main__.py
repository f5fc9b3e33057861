"""``python -m companion`` does what the command ``companion`` does."""

import sys


def main() -> int:
    """Run the command line; Ctrl-C also ends it while it is still being imported."""
    try:
        from companion.apps.grammar import main as run

        return run()
    except KeyboardInterrupt:
        print("companion: stopped; nothing was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
