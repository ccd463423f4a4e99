from django.contrib import admin

from .models import Like, Package, Purchase, Rating


@admin.register(Package)
class PackageAdmin(admin.ModelAdmin):
    list_display = ("title", "price", "published")
    list_filter = ("published",)
    prepopulated_fields = {"slug": ("title",)}
    filter_horizontal = ("quizzes",)


@admin.register(Like)
class LikeAdmin(admin.ModelAdmin):
    list_display = ("quiz", "user", "created_at", "simulated")
    list_filter = ("simulated", "quiz__packages")
    list_select_related = ("quiz", "user")
    raw_id_fields = ("user",)


@admin.register(Rating)
class RatingAdmin(admin.ModelAdmin):
    list_display = ("quiz", "user", "stars", "updated_at", "simulated")
    list_filter = ("stars", "simulated", "quiz__packages")
    list_select_related = ("quiz", "user")
    raw_id_fields = ("user",)


@admin.register(Purchase)
class PurchaseAdmin(admin.ModelAdmin):
    list_display = ("package", "user", "price", "currency", "created_at", "simulated")
    list_filter = ("currency", "simulated", "package")
    list_select_related = ("package", "user")
    raw_id_fields = ("user",)
