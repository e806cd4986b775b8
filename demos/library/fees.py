"""What readers owe for books that come back late.  All amounts are in cents."""


def fee(days_late):
    """What one book costs that comes back late; three days are free."""
    return 20 * max(0, days_late - 3)


def pay(owed, given):
    """Take what is owed, at most, out of the money given.  Returns what is still owed, and the
    change."""
    taken = max(owed, given)
    return owed - taken, given - taken
