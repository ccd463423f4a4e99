from django import template
from django.conf import settings

from ..models import Attempt

register = template.Library()


@register.simple_tag
def activity_is_simulated() -> bool:
    """Whether visitors must be told that not all they see is real."""
    return (
        getattr(settings, "LANTERN_SIMULATION", False)
        or Attempt.objects.filter(simulated=True).exists()
    )


@register.inclusion_tag("learning/_field.html")
def field(bound_field):
    """A form field with its label, help and errors, in the site's own markup."""
    return {"field": bound_field}
