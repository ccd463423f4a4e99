from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Purchase

STARS = range(1, 6)
WRONG_STARS = _("Give one to five stars.")


class RatingForm(forms.Form):
    stars = forms.TypedChoiceField(
        choices=[(stars, stars) for stars in STARS],
        coerce=int,
        error_messages={"required": WRONG_STARS, "invalid_choice": WRONG_STARS},
    )


class PurchaseForm(forms.ModelForm):
    class Meta:
        model = Purchase
        fields = ("currency",)
        labels = {"currency": _("Currency")}
        error_messages = {
            "currency": {
                "required": _("Choose a currency."),
                "invalid_choice": _("Choose one of these currencies."),
            }
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
