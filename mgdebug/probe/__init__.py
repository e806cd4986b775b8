"""The part of mgdebug that runs inside the user's interpreter.

Standard library only, CPython 3.8 and newer, and nothing else of mgdebug: the project's
interpreter has never heard of it.  See worker for what it does and frames for how it talks.
"""
