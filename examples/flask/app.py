"""A Flask site in one file: a page with a form, JSON, and a stream that arrives piece by piece."""

import os
import threading
import time

from flask import Flask, jsonify, render_template_string, request

app = Flask(__name__)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Hello</title>
<h1>Hello, {{ name }}!</h1>
<form method="post"><input name="name" placeholder="Your name" required> <button>Greet</button></form>
<p><a href="{{ url_for('who') }}">Who answers?</a> · <a href="{{ url_for('countdown') }}">A countdown</a></p>
</html>
"""


@app.route("/", methods=["GET", "POST"])
def index():
    """Greets whoever gave a name."""
    return render_template_string(PAGE, name=request.form.get("name", "world"))


@app.route("/who")
def who():
    """Which process and thread ran this request."""
    return jsonify(process=os.getpid(), thread=threading.current_thread().name)


@app.route("/countdown")
def countdown():
    """Ten lines in five seconds: each is sent when it is made."""

    # A browser shows HTML as it comes, plain text only in larger pieces.
    def lines():
        yield "<!doctype html><pre>"
        for number in range(10, 0, -1):
            yield f"{number}\n"
            time.sleep(0.5)
        yield "Lift-off!\n"

    return app.response_class(lines(), mimetype="text/html")
