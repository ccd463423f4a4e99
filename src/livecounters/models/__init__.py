from livecounters.models.bookkeeping import Lease, Mark, Measured, Muting, Stream, Suspect
from livecounters.models.events import ActivityEvent, EventSource
from livecounters.models.numbers import Bucket, Delta, Member

__all__ = [
    "ActivityEvent",
    "Bucket",
    "Delta",
    "EventSource",
    "Lease",
    "Mark",
    "Measured",
    "Member",
    "Muting",
    "Stream",
    "Suspect",
]
