"""The one page."""

from django.shortcuts import render
from django.urls import path

from shop.models import Item


def items(request):
    return render(request, "shop/items.html", {"items": Item.objects.order_by("name")[:20]})


urlpatterns = [path("", items)]
