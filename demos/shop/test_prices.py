from prices import line_total


def test_a_few_pieces_cost_the_full_price():
    assert line_total(250, 9) == 2250


def test_many_pieces_are_cheaper():
    assert line_total(100, 60) == 5280


def test_cents_are_rounded_down():
    assert line_total(33, 11) == 345
