"""What is sold."""

from django.db import models


class Item(models.Model):
    """A row of the page."""

    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=8, decimal_places=2)
