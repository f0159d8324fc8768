"""Flask: JSON, a form, a session, a stream, an error page."""

from flask import Flask, Response, abort, jsonify, request, session

application = Flask(__name__)
application.secret_key = "for tests"


@application.post("/json")
def json():
    return jsonify(got=request.get_json(), scheme=request.scheme, query=request.args.to_dict())


@application.post("/form")
def form():
    return f"Hello, {request.form['name']}!"


@application.get("/visits")
def visits():
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


@application.get("/stream")
def stream():
    return Response((f"line {number}\n" for number in range(5000)), mimetype="text/plain")


@application.get("/teapot")
def teapot():
    abort(418)


@application.get("/broken")
def broken():
    raise LookupError("raised in a view")
