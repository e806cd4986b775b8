"""A cart: articles, their number, and what the whole of it costs."""

from prices import line_total

FREE_SHIPPING_FROM = 5000
SHIPPING = 490


class Cart:
    def __init__(self):
        self.lines = {}

    def add(self, article, price, quantity=1):
        """More of the same article goes on the same line."""
        _, already = self.lines.get(article, (price, 0))
        self.lines[article] = (price, already + quantity)

    def goods(self):
        return sum(line_total(price, quantity) for price, quantity in self.lines.values())

    def shipping(self):
        goods = self.goods()
        return 0 if goods == 0 or goods >= FREE_SHIPPING_FROM else SHIPPING

    def total(self):
        return self.goods() + self.shipping()
