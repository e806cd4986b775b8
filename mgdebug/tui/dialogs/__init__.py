"""What is asked in front of the panes, a module each."""
