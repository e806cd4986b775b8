"""The panes of a session's screen, a module each."""
