"""What many sites are built of, each put to use: Django with SQLite, Pillow, numpy, psycopg."""

import io
import json
import os
import socketserver
import struct
import threading

import django
import numpy
import psycopg
from django.conf import settings
from django.db import connection, models
from PIL import Image, ImageDraw

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(os.environ["STATE_DIRECTORY"], "db.sqlite3"),
        }
    },
)
django.setup()


class Note(models.Model):
    text = models.TextField()

    class Meta:
        app_label = "notes"


def with_django():
    if Note._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Note)
    Note.objects.create(text="hello")
    found = Note.objects.filter(text__startswith="hel").count()
    connection.close()
    return found


def with_numpy():
    """Large enough for the threads of the linear algebra."""
    generator = numpy.random.default_rng(1)
    matrix = generator.random((400, 400)) + 400 * numpy.eye(400)
    return bool(numpy.allclose(matrix @ numpy.linalg.inv(matrix), numpy.eye(400)))


def with_pillow():
    image = Image.new("RGB", (640, 480), "white")
    ImageDraw.Draw(image).ellipse((100, 100, 300, 300), fill="red")
    file = io.BytesIO()
    image.resize((64, 48)).save(file, "JPEG")
    file.seek(0)
    return Image.open(file).convert("RGB").size


class Database(socketserver.StreamRequestHandler):
    """As much of a PostgreSQL server as one `select 42` needs (frontend/backend protocol 3.0)."""

    def handle(self):
        self.rfile.read(struct.unpack("!I", self.rfile.read(4))[0] - 4)
        self.say(b"R", struct.pack("!I", 0))
        self.say(b"S", b"client_encoding\0UTF8\0")
        self.say(b"S", b"server_version\00016.0\0")
        self.say(b"Z", b"I")
        while self.rfile.read(1) == b"Q":
            self.rfile.read(struct.unpack("!I", self.rfile.read(4))[0] - 4)
            self.say(b"T", struct.pack("!H", 1) + b"n\0" + struct.pack("!IHIhih", 0, 0, 23, 4, -1, 0))
            self.say(b"D", struct.pack("!Hi", 1, 2) + b"42")
            self.say(b"C", b"SELECT 1\0")
            self.say(b"Z", b"I")

    def say(self, kind, content):
        self.wfile.write(kind + struct.pack("!I", len(content) + 4) + content)


def with_psycopg():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever).start()
        where = f"host=127.0.0.1 port={server.server_address[1]} user=x dbname=x sslmode=disable"
        with psycopg.connect(where, autocommit=True) as database:
            found = database.execute("select 42").fetchone()[0]
        server.shutdown()
    return found


PAGES = {"/django": with_django, "/numpy": with_numpy, "/pillow": with_pillow, "/psycopg": with_psycopg}


def application(environ, start_response):
    body = json.dumps(PAGES[environ["PATH_INFO"]]()).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
