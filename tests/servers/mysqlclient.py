"""The driver for MariaDB and MySQL, and what it is compiled with."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

from tests.servers.programs import Missing


def find_driver() -> None:
    """Nothing, or ``Missing``: without its driver Django cannot use the server."""
    if find_spec("MySQLdb") is None:
        raise Missing("mysqlclient", "libmariadb-dev, to compile it")


def build_packages() -> list[str]:
    """The Debian packages that are missing to compile the driver, if it is missing itself."""
    if find_spec("MySQLdb") is not None:
        return []
    found = {
        "gcc": shutil.which("gcc"),
        "libmariadb-dev": shutil.which("mariadb_config"),
        "pkg-config": shutil.which("pkg-config"),
        "python{}.{}-dev".format(*sys.version_info): Path(
            sysconfig.get_path("include"), "Python.h"
        ).exists(),
    }
    return [package for package, there in found.items() if not there]
