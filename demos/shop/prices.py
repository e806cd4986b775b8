"""What a line of an order costs.  All amounts are in cents."""

# From this many pieces on, that many percent off.
TIERS = ((10, 5), (50, 12), (200, 20))


def discount_percent(quantity):
    """The percentage off for a number of pieces: the last tier that it reaches."""
    percent = 0
    for least, off in TIERS:
        if quantity > least:
            percent = off
    return percent


def line_total(price, quantity):
    """The price of one line, rounded down to a whole cent."""
    full = price * quantity
    return full - full * discount_percent(quantity) // 100
