from django.urls import path

from . import views

app_name = "packages"

urlpatterns = [
    path("packages/", views.packages, name="packages"),
    path("packages/<slug:slug>/", views.package, name="package"),
    path("packages/<slug:slug>/buy/", views.buy, name="buy"),
    path("quizzes/<int:pk>/like/", views.like, name="like"),
    path("quizzes/<int:pk>/unlike/", views.unlike, name="unlike"),
    path("quizzes/<int:pk>/rate/", views.rate, name="rate"),
]
