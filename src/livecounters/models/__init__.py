from livecounters.models.bookkeeping import (
    Dashboard,
    Lease,
    Mark,
    Measured,
    Muting,
    Stream,
    Suspect,
)
from livecounters.models.events import ActivityEvent, EventSource
from livecounters.models.ladders import Ladder, Rung, Score
from livecounters.models.numbers import Bucket, Delta, Member
from livecounters.models.presence import Attendance, Devices, Presence, Process, Sighting
from livecounters.models.progress import (
    Achievement,
    AwardedRule,
    Letter,
    OptOut,
    PersonalGoal,
    Share,
    Summons,
)
from livecounters.models.samples import Sample

__all__ = [
    "Achievement",
    "ActivityEvent",
    "Attendance",
    "AwardedRule",
    "Bucket",
    "Dashboard",
    "Delta",
    "Devices",
    "EventSource",
    "Ladder",
    "Lease",
    "Letter",
    "Mark",
    "Measured",
    "Member",
    "Muting",
    "OptOut",
    "PersonalGoal",
    "Presence",
    "Process",
    "Rung",
    "Sample",
    "Score",
    "Share",
    "Sighting",
    "Stream",
    "Summons",
    "Suspect",
]
