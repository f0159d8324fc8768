"""Bottle: a route with a parameter, a form, a static file."""

import pathlib

import bottle

application = bottle.Bottle()
HERE = pathlib.Path(__file__)


@application.get("/hello/<name>")
def hello(name):
    return f"Hello, {name}!"


@application.post("/form")
def form():
    return f"Hello, {bottle.request.forms.getunicode('name')}!"


@application.get("/file")
def file():
    return bottle.static_file(HERE.name, root=HERE.parent)
