from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Tier(models.TextChoices):
    """How far somebody has come; ``tiers`` says by what."""

    SPARK = "spark", _("Spark")
    CANDLE = "candle", _("Candle")
    LANTERN = "lantern", pgettext_lazy("tier", "Lantern")
    LIGHTHOUSE = "lighthouse", _("Lighthouse")


class Profile(models.Model):
    """What a person tells about themselves. Accounts made elsewhere (createsuperuser) have none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile"
    )
    city = models.CharField(max_length=80, blank=True)
    share_city = models.BooleanField("show my city beside my name", default=False)
    tier = models.CharField(max_length=10, choices=Tier, default=Tier.SPARK, editable=False)
    simulated = models.BooleanField(default=False, editable=False)

    def __str__(self) -> str:
        return str(self.user)
