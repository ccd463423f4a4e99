from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Choice, Question


class AnswerForm(forms.Form):
    """One question. It carries the question's id, so that an old page cannot answer another one."""

    question = forms.IntegerField(widget=forms.HiddenInput)
    choice = forms.ModelChoiceField(
        Choice.objects.none(),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose an answer first."),
            "invalid_choice": _("Choose one of the answers below."),
        },
    )

    def __init__(self, question: Question, data=None):
        super().__init__(data, initial={"question": question.pk})
        self.fields["choice"].queryset = question.choices.all()
        self.fields["choice"].label = question.text
        self.current = question

    def is_for_current(self) -> bool:
        return self.data.get("question") == str(self.current.pk)
