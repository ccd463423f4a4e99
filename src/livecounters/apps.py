"""The app: finds declarations, keeps triggers in step with migrations."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger("livecounters")


class LiveCountersConfig(AppConfig):
    name = "livecounters"
    label = "livecounters"
    verbose_name = _("Live counters")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from livecounters import checks as own_checks
        from livecounters import fixtures

        autodiscover_modules("livecounters")
        if apps.is_installed("drf_spectacular"):
            import_module("livecounters.api.schema")
        own_checks.register(checks)
        pre_migrate.connect(before_migrate, sender=self, dispatch_uid="livecounters")
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="livecounters")
        fixtures.connect()


def before_migrate(*, using: str, plan: Any = (), **kwargs: Any) -> None:
    """Take triggers off what the plan may touch."""
    from livecounters import capture

    if capture.supported(using):
        for table in capture.detach_for(plan, using):
            logger.info("livecounters: took the triggers off %s for a migration.", table)


def after_migrate(*, using: str, **kwargs: Any) -> None:
    """Put them back, backfill what is new, remove what is no longer declared."""
    from livecounters import capture, installation
    from livecounters.conf import options

    if options().INSTALL_ON_MIGRATE and capture.supported(using) and capture.ready(using):
        report = installation.sync(using)
        for table in report.installed:
            logger.info("livecounters: installed triggers on %s.", table)
        for failure in report.failed:
            logger.error(
                "livecounters: no triggers on %s. Its numbers are counted from the table; "
                "run manage.py livecounters sync when it is as the models say.",
                failure,
            )
        for failure in report.unfinished:
            logger.error("livecounters: counted from the table for the time being: %s", failure)
        _begin_awards(using)


def _begin_awards(using: str) -> None:
    """From now on what is reached is told; what was reached before is not."""
    from livecounters import awards, feed

    if using != feed.database():
        return
    try:
        awards.begin()
    except Exception:
        logger.exception("livecounters: new rules have not begun; the pump tries it again.")
