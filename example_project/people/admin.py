from django.contrib import admin

from .models import Profile


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):
    list_display = ("user", "city", "share_city", "simulated")
    list_filter = ("share_city", "simulated")
    list_select_related = ("user",)
    raw_id_fields = ("user",)
