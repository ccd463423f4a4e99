"""What every test can use: a database, the real servers, a browser.

``LIVECOUNTERS_TEST_DATABASE`` chooses the database (sqlite, postgresql, mariadb). Its server is started
before Django is set up, unless ``LIVECOUNTERS_TEST_DATABASE_HOST`` names one that is running.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import hypothesis
import pytest
import pytest_asyncio

from tests.servers import MariaDB, Missing, PostgreSQL, Redis, Server, find_chromium, find_driver

SETTINGS = os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
# The example project is tested with its own settings, and so in a run of its own.
collect_ignore = ["example"] if SETTINGS == "tests.settings" else []

DATABASE = os.environ.setdefault("LIVECOUNTERS_TEST_DATABASE", "sqlite")
DATABASE_SERVERS: dict[str, type[Server]] = {"mariadb": MariaDB, "postgresql": PostgreSQL}
# Where nothing may be missing, a skip would only hide that it is.
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# What reaches a database only through what is tested on every one is left out on the servers, unless
# --all asks for it.
THROUGH_OTHERS = (
    "admin",
    "middleware",
    "templatetags",
    "test_browser",
    "test_celebration",
    "test_displays",
    "test_doctor",
    "test_drawing",
    "test_embeds",
    "test_forms",
    "test_health",
    "test_hostile",
    "test_letters",
    "test_look",
    "test_own",
    "test_pictures",
    "test_post",
    "test_shares",
    "test_tabs",
)
# On MariaDB, the slowest of them and the third to try the same, that of what moves as well.
IN_MOTION = (
    "api",
    "soak",
    "test_awards",
    "test_consumers",
    "test_crowds",
    "test_judges",
    "test_keeper",
    "test_leaderboards",
    "test_online",
    "test_processes",
    "test_relay",
    "test_testing",
    "testing",
)
LEFT_OUT = {
    "postgresql": (*THROUGH_OTHERS, "soak/test_backfill", "soak/test_folding"),
    "mariadb": THROUGH_OTHERS + IN_MOTION,
}

Found = TypeVar("Found")

missing_database = pytest.StashKey[str]()
made_definitions = pytest.StashKey["Definitions"]()

# A first example pays for imports and connections; slow tests are found by --durations.
hypothesis.settings.register_profile("livecounters", deadline=None)
hypothesis.settings.load_profile("livecounters")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the tests marked soak as well")
    parser.addoption("--all", action="store_true", help="leave nothing out on any database")
    parser.addoption("--part", default="1/1", help="run these parts of the tests only, as in 1,2/3")


def pytest_configure(config: pytest.Config) -> None:
    # Ended like by Ctrl-C, so that the servers of this run end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    # Processes that tests start import the settings as well, from wherever they run.
    path = [str(config.rootpath), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    try:
        environment = _start_database(config)
    except Missing as missing:
        if IN_CI:
            raise pytest.UsageError(str(missing)) from missing
        config.stash[missing_database] = str(missing)
    else:
        for name, value in environment.items():
            os.environ.setdefault(f"LIVECOUNTERS_TEST_DATABASE_{name}", value)

    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        return
    # Settings that are loaded are what makes pytest-django set Django up.
    from django.conf import settings

    assert settings.DATABASES


def _start_database(config: pytest.Config) -> dict[str, str]:
    if DATABASE == "sqlite":
        # A directory of its own: runs beside each other must not share a file.
        directory = tempfile.TemporaryDirectory(prefix="lc-")
        config.add_cleanup(directory.cleanup)
        return {"NAME": str(Path(directory.name) / "livecounters.sqlite3")}
    if DATABASE not in DATABASE_SERVERS or "LIVECOUNTERS_TEST_DATABASE_HOST" in os.environ:
        return {}
    if DATABASE == "mariadb":
        find_driver()
    server = DATABASE_SERVERS[DATABASE]()
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        # Each worker of pytest-xdist starts its own: what settles in one database waits for the
        # transactions of all, and tests that hold some open would wait for each other.
        server.find()
        # Or pytest-django would read the settings there before the server is known.
        os.environ.pop("DJANGO_SETTINGS_MODULE")
        return {}
    config.add_cleanup(server.close)
    settings = server.start().settings
    return {name: str(settings[name]) for name in ("HOST", "PORT", "USER")}


def pytest_report_header(config: pytest.Config) -> str:
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        return f"livecounters: {DATABASE}, a server for each worker"
    from django.conf import settings

    database = settings.DATABASES["default"]
    return f"livecounters: {database['ENGINE']} {database.get('HOST') or database['NAME']}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = config.stash.get(missing_database, None)
    for item in items:
        if _uses_database(item):
            item.add_marker("database")
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))

    if not config.getoption("--soak"):
        _keep(config, items, lambda item: item.get_closest_marker("soak") is None)
    if not config.getoption("--all"):
        # Whoever asks for the soak gets it on every database.
        left_out = [
            name
            for name in LEFT_OUT.get(DATABASE, ())
            if not (config.getoption("--soak") and name.startswith("soak"))
        ]
        _keep(config, items, lambda item: not _is_in(config, item, left_out))
        if DATABASE == "mariadb" and not config.getoption("--soak"):
            _keep(config, items, lambda item: item.get_closest_marker("thorough") is None)
    chosen, _, parts = config.getoption("--part").partition("/")
    numbers = {int(part) - 1 for part in chosen.split(",")}
    # The same in each process, however the tests are shuffled.
    _keep(config, items, lambda item: crc32(item.nodeid.encode()) % int(parts) in numbers)


def _is_in(config: pytest.Config, item: pytest.Item, names: Sequence[str]) -> bool:
    """Whether a test belongs to one of these folders or modules below ``tests``."""
    own = item.path.relative_to(config.rootpath / "tests").with_suffix("")
    return any(own.is_relative_to(name) for name in names)


def _keep(
    config: pytest.Config, items: list[pytest.Item], wanted: Callable[[pytest.Item], bool]
) -> None:
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]


def _uses_database(item: pytest.Item) -> bool:
    from django.test import TransactionTestCase

    fixtures = set(getattr(item, "fixturenames", ()))
    cls = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or not fixtures.isdisjoint({"db", "transactional_db", "django_db_setup", "live_server"})
        or (cls is not None and issubclass(cls, TransactionTestCase))
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(reasons):
        if "NOT TESTED" in reason:
            line = reason.removeprefix("Skipped: ")
            terminalreporter.write_line(f"!!! {line}", red=True, bold=True)


def _found(find: Callable[[], Found]) -> Found:
    try:
        return find()
    except Missing as missing:
        if IN_CI:
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A running Redis; a test that stops it starts it again."""
    with _found(Redis) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL beside the database of the run, whichever that is."""
    with _found(PostgreSQL) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    with _found(MariaDB) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, as Playwright's ``executable_path``."""
    return str(_found(find_chromium))


@pytest_asyncio.fixture
async def browser(chromium: str) -> AsyncIterator[Any]:
    """A browser of the test's own, as Playwright drives it."""
    from tests.pages import launched

    async with launched(chromium) as found:
        yield found


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that looks for what keeps people out of a page."""
    path = Path(__file__).parent.parent / "client/node_modules/axe-core/axe.min.js"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    reason = "NOT TESTED: axe-core is not installed (cd client && npm ci)"
    return pytest.fail(reason) if IN_CI else pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: Any, pytestconfig: pytest.Config
) -> Iterator[None]:
    """The database, left by the thread in which async tests use it before it is dropped."""
    from asgiref.sync import sync_to_async
    from django.db import connection, connections
    from django.db.models.signals import post_migrate

    if SETTINGS == "tests.settings":
        # Most of the time that emptying the tables takes; tests/admin makes those that it needs.
        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")

    definitions = Definitions(django_db_blocker)
    if not connection.features.can_rollback_ddl:
        connection.execute_wrappers.append(definitions.look)
    pytestconfig.stash[made_definitions] = definitions
    yield
    asyncio.run(sync_to_async(connections.close_all)())


class Definitions:
    """Whether a test defined triggers, on a database where that commits what the test did."""

    def __init__(self, blocker: Any) -> None:
        self.blocker = blocker
        self.seen = False

    def look(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.seen = self.seen or " TRIGGER " in sql
        return execute(sql, params, many, context)

    def clean_up(self) -> None:
        from django.core.management import call_command

        if self.seen:
            with self.blocker.unblock():
                call_command("flush", interactive=False, verbosity=0)
            self.seen = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    # After the fixtures, the transaction of the test among them; after the last, the database too.
    yield
    if nextitem is not None and made_definitions in item.config.stash:
        item.config.stash[made_definitions].clean_up()


@pytest.fixture
def process_environment(db: None) -> dict[str, str]:
    """The environment in which another process works on the database of this test.

    It sees what is committed: use it with ``transactional_db``.
    """
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    return os.environ | {"LIVECOUNTERS_TEST_DATABASE_NAME": name}


@pytest.fixture(scope="module")
def bring_in_force(
    django_db_setup: None, django_db_blocker: Any, pytestconfig: pytest.Config
) -> Iterator[Callable[[Any], None]]:
    """Brings declarations in force that are not: for all tests of a module, since it takes long on
    MariaDB. After a test that empties the tables, such as one with transactions, again for each."""
    from livecounters import installation
    from livecounters.registry import registry

    def sync(names: Any) -> None:
        from django.db import connection

        with django_db_blocker.unblock():
            report = installation.sync("default", names)
        assert not report.failed
        # What is defined within a test is the test's.
        pytestconfig.stash[made_definitions].seen = connection.in_atomic_block

    def bring(names: Any) -> None:
        from livecounters.measures import declared_measures
        from livecounters.models import Measured

        keys = {measure.key for measure in declared_measures(names)}
        with django_db_blocker.unblock():
            kept = Measured.objects.filter(measure__in=keys, ready=True).exclude(installation="")
            ready = kept.count() == len(keys)
        if not ready:
            sync(names)

    yield bring
    sync(registry)


@pytest.fixture(scope="module")
def everything(request: pytest.FixtureRequest, bring_in_force: Callable[[Any], None]) -> Any:
    """What a module declares for itself, by its ``declared()``, in force."""
    found = request.module.declared()
    bring_in_force(found)
    return found


@pytest.fixture
def names(everything: Any, bring_in_force: Callable[[Any], None]) -> Any:
    """The same, for a test."""
    bring_in_force(everything)
    return everything


@pytest.fixture
def counters(names: Any) -> dict[str, Any]:
    """The readers of what a module declares for itself."""
    from livecounters.readers import Counter

    return {entry.name: Counter(entry) for entry in names.counters}


@pytest.fixture
def rooms() -> Iterator[None]:
    """Who is online is declared, for the site and for each quiz."""
    from tests.host.rooms import Declared

    with Declared():
        yield


@pytest.fixture
def learning(db: None) -> Iterator[None]:
    """What learners reach is declared: goals, milestones, streaks."""
    from tests.host.learners import declared

    with declared():
        yield


@pytest.fixture(autouse=True)
def presence_is_asked() -> Iterator[None]:
    """A presence store that was away in one test is asked again in the next."""
    from livecounters import meters

    yield
    meters.ask_again()
