"""Who gets a book, and who is next."""

from fees import fee


def may_borrow(books, owed):
    """Whether a reader who has so many books, and owes so many cents, gets one more."""
    return books < 3 or owed < 500


def give_back(loans, queue, book, days_late=0):
    """Take a book back; who has waited longest gets it.  Returns the reader who had it, and the fee.

    loans: the reader of each book that is lent.  queue: who waits for this one, the first first.
    """
    reader = loans.pop(book)
    if queue:
        loans[book] = queue.pop(0)
    return reader, fee(days_late)
