"""Starting, limiting, killing and reaping the processes that run the user's code."""
