"""A session line by line: for screen readers, plain terminals and pipes of speech software.

The same session as on the whole screen; nothing is drawn, nothing is overwritten.
"""

from __future__ import annotations

from mgdebug.linear.face import Linear

__all__ = ["Linear"]
