"""What `mgdebug hook` does before a commit: run the cases that what is staged concerns, and look
for a patch if they fail.  Knows no terminal.

surroundings is where it runs; checking runs the cases that coverage chooses, mending looks for a
patch; conflicts and keys are what stands in the way.
"""
