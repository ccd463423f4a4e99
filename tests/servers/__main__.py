"""``python -m tests.servers``: the Debian packages that are missing here, for setup-system."""

from tests.servers import MariaDB, Missing, PostgreSQL, Redis, find_chromium
from tests.servers.mysqlclient import build_packages

if __name__ == "__main__":
    for find in (PostgreSQL.find, Redis.find, MariaDB.find, find_chromium):
        try:
            find()
        except Missing as missing:
            print(missing.package)
    for package in build_packages():
        print(package)
