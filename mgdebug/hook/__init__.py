"""What `mgdebug hook` does before a commit: run the cases that what is staged concerns, and look
for a patch if they fail.  Knows no terminal.

surroundings is where it runs; parts is a file in its functions, record what is known of the cases;
imports and choice read that, learning writes it; checking runs the cases, mending looks for a
patch; conflicts and keys are what stands in the way.
"""
