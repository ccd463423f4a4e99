"""Middleware for the host's ``MIDDLEWARE``."""

from __future__ import annotations

from livecounters.middleware.timing import ResponseTimeMiddleware
from livecounters.middleware.visitors import VisitorMiddleware

__all__ = ["ResponseTimeMiddleware", "VisitorMiddleware"]
