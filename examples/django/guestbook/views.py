"""The pages: a form with an upload, a download, and a stream."""

import csv
import os
import threading

from django.forms import ModelForm
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from .models import Entry


class EntryForm(ModelForm):
    """A new entry."""

    class Meta:
        model = Entry
        fields = ["name", "text", "attachment"]


def index(request):
    """The form, and the latest entries below it."""
    form = EntryForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("index")
    context = {
        "entries": Entry.objects.all()[:50],
        "form": form,
        "process": os.getpid(),
        "thread": threading.current_thread().name,
    }
    return render(request, "guestbook/index.html", context)


def attachment(request, entry_id):
    """The file of an entry, sent by the server itself (wsgi.file_wrapper)."""
    entry = get_object_or_404(Entry, pk=entry_id)
    if not entry.attachment:
        raise Http404("this entry has no attachment")
    return FileResponse(entry.attachment.open(), as_attachment=True)


class Line:
    """What csv.writer can write to; it hands each line back in place of keeping it."""

    def write(self, line):
        """Called once for each row."""
        return line


def entries_csv(request):
    """Every entry, sent line by line while the database is still being read."""
    writer = csv.writer(Line())
    rows = Entry.objects.values_list("id", "name", "text", "written").iterator()

    def lines():
        yield writer.writerow(["id", "name", "text", "written"])
        yield from map(writer.writerow, rows)

    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
