"""Which path leads to which view."""

from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("attachment/<int:entry_id>", views.attachment, name="attachment"),
    path("entries.csv", views.entries_csv, name="entries-csv"),
    path("admin/", admin.site.urls),
    # The admin's own styles, as long as DEBUG is on.
    *staticfiles_urlpatterns(),
]
