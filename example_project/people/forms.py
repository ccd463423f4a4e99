from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from .models import Profile

CITY_HELP = _(
    "With this, others read “Ada from Lyon” when you finish a quiz. Without it, just “Ada”."
)


class SignUpForm(UserCreationForm):
    first_name = forms.CharField(max_length=80, label=_("First name"))
    city = forms.CharField(max_length=80, required=False, label=_("City (optional)"))
    share_city = forms.BooleanField(
        required=False, label=_("Show my city beside my name"), help_text=CITY_HELP
    )

    field_order = ("first_name", "username", "password1", "password2", "city", "share_city")

    class Meta:
        model = get_user_model()
        fields = ("username", "first_name")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["username"].widget.attrs.pop(
            "autofocus", None
        )  # it is not the first field here

    @transaction.atomic
    def save(self, commit: bool = True):
        user = super().save(commit=commit)
        Profile.objects.create(
            user=user, city=self.cleaned_data["city"], share_city=self.cleaned_data["share_city"]
        )
        return user


class ProfileForm(forms.ModelForm):
    first_name = forms.CharField(max_length=80, label=_("First name"))

    field_order = ("first_name", "city", "share_city")

    class Meta:
        model = Profile
        fields = ("city", "share_city")
        help_texts = {"share_city": CITY_HELP}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["first_name"].initial = self.instance.user.first_name

    @transaction.atomic
    def save(self, commit: bool = True) -> Profile:
        self.instance.user.first_name = self.cleaned_data["first_name"]
        self.instance.user.save(update_fields=["first_name"])
        return super().save(commit=commit)
