"""What the code is: text, hierarchy, basic blocks.  Nothing here runs it."""
