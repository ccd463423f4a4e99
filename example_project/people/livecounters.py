"""What is counted of people: how many are in each tier."""

from django.utils.translation import gettext_lazy as _

import livecounters as live

from .models import Profile


@live.register(Profile)
class ProfileLive(live.LiveModel):
    tier_members = live.Count(per="tier", label=_("Learners by tier"), public=True)
