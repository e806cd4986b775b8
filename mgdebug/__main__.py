"""`mgdebug` and `python -m mgdebug`."""

import sys


def start() -> None:
    """The command line; an interrupt while it is still being loaded ends it quietly too."""
    try:
        from mgdebug.cli import main

        main(prog_name="mgdebug")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    start()
