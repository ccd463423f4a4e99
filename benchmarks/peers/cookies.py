"""Cookies of as many visitors as asked."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from livecounters.visitors import COOKIE, mint  # noqa: E402 - apps must be ready

if __name__ == "__main__":
    print(json.dumps([f"{COOKIE}={mint()}" for _ in range(int(sys.argv[1]))]))
