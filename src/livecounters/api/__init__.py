"""The REST API, by Django REST framework; the only part that imports it."""
