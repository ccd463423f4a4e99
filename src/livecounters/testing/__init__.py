"""For the hosts' own tests: fold now, another day, what a page would be sent, is it all right.

    from livecounters import testing

    class Orders(TestCase):
        def test_a_paid_order(self):
            with testing.captured_frames("counter:orders_today") as page:
                pay(order)
            assert page.values == {"counter:orders_today": 1}
            testing.assert_counter("product_orders", 1, of=order.product)

Everything works inside the transaction of a ``TestCase`` and needs no server, no pump and no
channel layer. ``using`` is a database alias; without it, every database that the test may use.
"""

from __future__ import annotations

from livecounters.testing.clock import freeze
from livecounters.testing.numbers import assert_counter, fold, install, verify
from livecounters.testing.pages import Page, captured_frames

__all__ = ["Page", "assert_counter", "captured_frames", "fold", "freeze", "install", "verify"]
