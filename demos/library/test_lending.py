from lending import give_back, may_borrow


def test_a_reader_with_few_books_gets_one_more():
    assert may_borrow(0, 0)
    assert may_borrow(2, 499)


def test_three_books_or_five_euros_are_enough():
    assert not may_borrow(3, 0)
    assert not may_borrow(0, 500)


def test_a_book_that_nobody_waits_for_goes_on_the_shelf():
    loans = {"Emma": "Ann"}
    assert give_back(loans, [], "Emma") == ("Ann", 0)
    assert loans == {}


def test_who_has_waited_longest_gets_the_book():
    loans, queue = {"Emma": "Ann"}, ["Bob", "Cleo"]
    assert give_back(loans, queue, "Emma", days_late=4) == ("Ann", 20)
    assert loans == {"Emma": "Bob"}
    assert queue == ["Cleo"]
