"""What the guestbook remembers."""

from django.db import models


class Entry(models.Model):
    """What one guest wrote, perhaps with a file."""

    name = models.CharField(max_length=80)
    text = models.TextField(max_length=2000)
    attachment = models.FileField(upload_to="%Y/%m", blank=True)
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "entries"

    def __str__(self):
        return f"{self.name}, {self.written:%Y-%m-%d}"
