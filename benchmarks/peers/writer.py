"""A host that commits now and then: says which row it was, and when it was committed."""

from __future__ import annotations

import json
import random
import sys
import time

import django

django.setup()

from benchmarks.peers.models import Hit  # noqa: E402 - apps must be ready


def main(times: int) -> None:
    chance = random.Random(6)
    there = Hit.objects.count()
    commits = []
    for number in range(there + 1, there + times + 1):
        time.sleep(chance.uniform(0.3, 0.7))
        Hit.objects.create()
        commits.append((number, time.monotonic()))
    print(json.dumps(commits))


if __name__ == "__main__":
    main(int(sys.argv[1]))
