"""`python -m mgdebug`."""

from mgdebug.cli import main

if __name__ == "__main__":
    main(prog_name="mgdebug")
