from django.urls import path

from . import views

app_name = "learning"

urlpatterns = [
    path("", views.home, name="home"),
    path("courses/<slug:slug>/", views.course, name="course"),
    path("courses/<slug:slug>/enrol/", views.enrol, name="enrol"),
    path("courses/<slug:slug>/confirm/", views.confirm, name="confirm"),
    path("courses/<slug:slug>/leave/", views.leave_course, name="leave_course"),
    path("quizzes/<int:pk>/", views.quiz, name="quiz"),
    path("quizzes/<int:pk>/start/", views.start, name="start"),
    path("attempts/<int:pk>/", views.question, name="question"),
    path("attempts/<int:pk>/leave/", views.leave_quiz, name="leave_quiz"),
    path("attempts/<int:pk>/results/", views.results, name="results"),
    path("status/", views.status, name="status"),
    path("share/", views.share, name="share"),
    path("practice/", views.practice, name="practice"),
]
