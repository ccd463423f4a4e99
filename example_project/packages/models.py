from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from learning.models import Quiz


class Package(models.Model):
    """Quizzes that are sold together. A quiz may be in many packages, and in none."""

    title = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    summary = models.TextField(blank=True)
    price = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        help_text="The same number in every currency",
    )
    published = models.BooleanField(default=True)
    quizzes = models.ManyToManyField(Quiz, related_name="packages", blank=True)

    class Meta:
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("packages:package", args=[self.slug])


class Like(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="likes"
    )
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="likes")
    created_at = models.DateTimeField(default=timezone.now)
    simulated = models.BooleanField(default=False, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "quiz"], name="one_like_per_quiz")]

    def __str__(self) -> str:
        return f"{self.user} likes {self.quiz}"


class Rating(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ratings"
    )
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="ratings")
    stars = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    simulated = models.BooleanField(default=False, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "quiz"], name="one_rating_per_quiz"),
            models.CheckConstraint(
                condition=Q(stars__gte=1, stars__lte=5), name="stars_are_one_to_five"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} gives {self.quiz} {self.stars} of 5"


class Purchase(models.Model):
    """It keeps the price as it was. What has been sold is unpublished, never deleted."""

    class Currency(models.TextChoices):
        EUR = "EUR", "EUR"
        USD = "USD", "USD"
        GBP = "GBP", "GBP"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="purchases"
    )
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="purchases")
    price = models.DecimalField(max_digits=8, decimal_places=2)
    currency = models.CharField(max_length=3, choices=Currency, default=Currency.EUR)
    created_at = models.DateTimeField(default=timezone.now)
    simulated = models.BooleanField(default=False, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "package"], name="one_purchase_per_package")
        ]

    def __str__(self) -> str:
        return f"{self.user} bought {self.package}"
