from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .models import Attempt, Choice, Course, Enrolment, Question, Quiz


class QuizInline(admin.TabularInline):
    model = Quiz
    extra = 0
    show_change_link = True


class QuestionInline(admin.TabularInline):
    model = Question
    extra = 0
    show_change_link = True


class ChoiceInline(admin.TabularInline):
    model = Choice
    extra = 0


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):
    list_display = ("title", "category")
    prepopulated_fields = {"slug": ("title",)}
    inlines = (QuizInline,)


@admin.register(Quiz)
class QuizAdmin(admin.ModelAdmin):
    list_display = ("title", "course", "position")
    list_filter = ("course",)
    inlines = (QuestionInline,)


@admin.register(Question)
class QuestionAdmin(admin.ModelAdmin):
    list_display = ("text", "quiz")
    list_filter = ("quiz__course",)
    inlines = (ChoiceInline,)


@admin.register(Enrolment)
class EnrolmentAdmin(admin.ModelAdmin):
    list_display = ("user", "course", "status", "created_at", "activated_at", "simulated")
    list_filter = ("status", "course", "simulated")
    list_select_related = ("user", "course")
    raw_id_fields = ("user",)
    actions = ("activate", "suspend")

    @admin.action(description=_("Activate selected enrolments"))
    def activate(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        """One `update()` for all of them: no `save()`, no signals."""
        pending = queryset.filter(status=Enrolment.Status.PENDING)
        changed = pending.update(status=Enrolment.Status.ACTIVE, activated_at=timezone.now())
        self.message_user(request, _("%(number)s enrolments are active now.") % {"number": changed})

    @admin.action(description=_("Set selected enrolments back to pending"))
    def suspend(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        changed = queryset.update(status=Enrolment.Status.PENDING, activated_at=None)
        self.message_user(
            request, _("%(number)s enrolments are pending now.") % {"number": changed}
        )


@admin.register(Attempt)
class AttemptAdmin(admin.ModelAdmin):
    list_display = ("quiz", "user", "score", "completed", "completed_at", "simulated")
    list_filter = ("completed", "practice", "simulated", "quiz__course")
    list_select_related = ("quiz", "user")
    raw_id_fields = ("user",)
