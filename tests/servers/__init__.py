"""Real servers for the tests: started from installed programs, stopped with their process.

    with Redis() as redis:
        connect(redis.url)

A server lives in a temporary directory, on a free port of 127.0.0.1, and keeps its port and its
data between ``stop()`` and ``start()``. What is not installed raises ``Missing``.
"""

from tests.servers.chromium import find_chromium
from tests.servers.mariadb import MariaDB
from tests.servers.mysqlclient import find_driver
from tests.servers.postgresql import PostgreSQL
from tests.servers.programs import Missing
from tests.servers.redis import Redis
from tests.servers.server import Server

__all__ = ["MariaDB", "Missing", "PostgreSQL", "Redis", "Server", "find_chromium", "find_driver"]
