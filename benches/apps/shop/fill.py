"""Makes the database, unless it is there: `python -m shop.fill`."""

from django.db import connection

import shop.wsgi  # noqa: F401  It sets Django up.
from shop.models import Item

if Item._meta.db_table in connection.introspection.table_names():
    raise SystemExit
with connection.schema_editor() as editor:
    editor.create_model(Item)
Item.objects.bulk_create(Item(name=f"item {number:03}", price=number) for number in range(100))
