from livecounters.models.bookkeeping import Lease, Measured, Muting, Stream
from livecounters.models.events import ActivityEvent, EventSource
from livecounters.models.numbers import Bucket, Delta, Member

__all__ = [
    "ActivityEvent",
    "Bucket",
    "Delta",
    "EventSource",
    "Lease",
    "Measured",
    "Member",
    "Muting",
    "Stream",
]
