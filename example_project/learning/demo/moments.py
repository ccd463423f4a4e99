"""When things have happened in the made-up days."""

import random
from datetime import datetime, timedelta

# Longer than twice the longest chart, whose trend compares it with the days before.
DAYS = 70


def some_time(rng: random.Random, now: datetime) -> datetime:
    """A moment of these days: late ones more often, since the site grows, and seldom at night."""
    while True:
        moment = now - timedelta(days=DAYS * (1 - rng.random() ** 0.7), seconds=20)
        if 7 <= moment.hour <= 22 or rng.random() < 0.25 or now - moment < timedelta(hours=6):
            return moment
