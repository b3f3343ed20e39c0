"""`orbat` and `python -m orbat`."""

import signal
import sys

from .interruption import EXIT_INTERRUPTED, UNCHANGED


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and end in one line if Ctrl-C comes while it begins or ends.

    Args:
        arguments: as those of :func:`.cli.main`.
    """
    try:
        from .cli import main as run

        run(arguments)
    except KeyboardInterrupt:
        print(f"interrupted: {UNCHANGED}", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    finally:
        # All is done: while Python ends, Ctrl-C would print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
