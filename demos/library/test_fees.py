from fees import fee, pay


def test_three_days_are_free():
    assert fee(3) == 0


def test_each_day_after_that_costs_twenty_cents():
    assert fee(10) == 140


def test_the_exact_sum_settles_it():
    assert pay(140, 140) == (0, 0)


def test_no_more_is_taken_than_is_owed_or_given():
    assert pay(300, 100) == (200, 0)
    assert pay(140, 200) == (0, 60)
