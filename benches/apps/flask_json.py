"""Flask, with an answer in JSON."""

import flask

application = flask.Flask(__name__)


@application.get("/")
def numbers():
    return {"message": "Hello, world!", "numbers": list(range(20))}
