"""The admin: how it goes, what is kept, what people have reached. To be read; what may be done is
said by name, asked for a permission and confirmed."""

from __future__ import annotations

from livecounters.admin.counters import MeasuredAdmin
from livecounters.admin.dashboard import DashboardAdmin
from livecounters.admin.people import AchievementAdmin, PersonalGoalAdmin
from livecounters.admin.tables import ActivityEventAdmin, DeltaAdmin

__all__ = [
    "AchievementAdmin",
    "ActivityEventAdmin",
    "DashboardAdmin",
    "DeltaAdmin",
    "MeasuredAdmin",
    "PersonalGoalAdmin",
]
