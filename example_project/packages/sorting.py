"""The order of the list of packages."""

from django.db.models import F, OrderBy
from django.utils.translation import gettext_lazy as _


class Sorting:
    """The order of a list, as an address names it: `price`, or `-price` for the highest first."""

    LABELS = {
        "title": _("Title"),
        "attempts": _("Taken"),
        "likes": _("Likes"),
        "buyers": _("Buyers"),
        "score": _("Score"),
        "rating": _("Rating"),
        "price": _("Price"),
    }
    RISING = ("title", "price")  # what one wants to see from its lower end first
    DEFAULT = "-attempts"

    def __init__(self, wanted: str):
        self.name = wanted if wanted.removeprefix("-") in self.LABELS else self.DEFAULT
        self.column = self.name.removeprefix("-")
        self.falling = self.name.startswith("-")

    @property
    def ordering(self) -> tuple[OrderBy | str, ...]:
        """What has no number yet comes last either way; equals stand by title."""
        column = F(self.column)
        first = column.desc(nulls_last=True) if self.falling else column.asc(nulls_last=True)
        return first, "title", "pk"

    @property
    def choices(self) -> list[dict[str, object]]:
        """A link for each column. That of the current one turns it round."""
        return [self._choice(column, label) for column, label in self.LABELS.items()]

    def _choice(self, column: str, label: str) -> dict[str, object]:
        current = column == self.column
        falling = not self.falling if current else column not in self.RISING
        return {
            "name": f"-{column}" if falling else column,
            "label": label,
            "current": current,
            "falling": self.falling if current else falling,
        }
