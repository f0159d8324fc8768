"""The guestbook in Django's admin."""

from django.contrib import admin

from .models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """Entries as a list that can be searched."""

    list_display = ["name", "text", "attachment", "written"]
    search_fields = ["name", "text"]
