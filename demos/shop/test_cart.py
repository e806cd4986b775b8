from cart import Cart


def test_an_empty_cart_costs_nothing():
    assert Cart().total() == 0


def test_one_article_is_shipped_for_a_fee():
    cart = Cart()
    cart.add("mug", 1200)
    assert cart.total() == 1200 + 490


def test_shipping_is_free_from_fifty_euros_on():
    cart = Cart()
    cart.add("lamp", 5000)
    assert cart.total() == 5000


def test_the_same_article_twice_is_one_line():
    cart = Cart()
    cart.add("pen", 100, 3)
    cart.add("pen", 100, 2)
    assert cart.lines == {"pen": (100, 5)}


def test_ten_pens_earn_the_first_discount():
    cart = Cart()
    cart.add("pen", 100, 4)
    cart.add("pen", 100, 6)
    assert cart.total() == 950 + 490


def test_a_box_of_fifty_earns_the_second():
    cart = Cart()
    cart.add("pen", 100, 50)
    assert cart.goods() == 4400
