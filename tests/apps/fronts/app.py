"""Answers what came of the request: the variables that the client has a say in, and its body.

X-Answer asks for another answer: a status, the shape of the body and its size, with a comma between.
"""

import hashlib
import json

UNCHECKED = "the wrappers warn of methods and statuses that nobody has registered"

NAMES = ("CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REQUEST_METHOD",
         "REQUEST_URI", "SCRIPT_NAME", "SERVER_PROTOCOL", "wsgi.url_scheme")


def answer(wanted, start_response):
    status, shape, size = wanted.split(",")
    size = int(size)
    headers = [("X-First", "one"), ("X-Second", "a, b; \"c\""), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/"),
               ("Content-Type", "text/plain; charset=utf-8")]
    if status[0] == "3":
        headers.append(("Location", "http://elsewhere.example/a?b=%20"))
    if status == "401":
        headers.append(("WWW-Authenticate", 'Basic realm="here"'))
    if shape == "length":
        headers.append(("Content-Length", str(size)))
    start_response(status + " As Asked", headers)
    if shape == "pieces":
        return (b"x" * min(1000, size - at) for at in range(0, size, 1000))
    if shape == "write":
        return iter([b"x" * size])
    return [b"x" * size]


def application(environ, start_response):
    stream = environ["wsgi.input"]
    if "HTTP_X_UNREAD" in environ:
        body = b"unread"
    elif "HTTP_X_LINES" in environ:
        body = b"".join(stream)
    else:
        body = stream.read()
    if "HTTP_X_ANSWER" in environ:
        return answer(environ["HTTP_X_ANSWER"], start_response)
    seen = {name: value for name, value in environ.items() if name in NAMES or name.startswith("HTTP_")}
    seen["body"] = f"{len(body)} bytes, {hashlib.sha256(body).hexdigest()}"
    text = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]
