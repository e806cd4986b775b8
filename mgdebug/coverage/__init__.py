"""Which functions each case of a project reached when it last ran, and whom a change concerns.

parts is a file in its functions, record what is known of the cases, kept in the user's cache;
imports and choice read that, learning writes it.
"""
