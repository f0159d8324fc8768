"""wsgi.file_wrapper around the file that the query or X-File names; the path names the variant."""

import io

UNCHECKED = "the wrappers hide the file_wrapper from the server"


class Stream:
    """A file without a descriptor."""

    def __init__(self, content, errors):
        self.content = io.BytesIO(content)
        self.errors = errors

    def read(self, size):
        return self.content.read(size)

    def close(self):
        self.errors.write("closed the stream\n")
        self.errors.flush()


def application(environ, start_response):
    wrapper = environ["wsgi.file_wrapper"]
    headers = [("Content-Type", "application/octet-stream")]
    path = environ["PATH_INFO"]
    file = open(environ["QUERY_STRING"] or environ["HTTP_X_FILE"], "rb")
    if path == "/stream":
        start_response("200 OK", headers)
        return wrapper(Stream(file.read(), environ["wsgi.errors"]), 1000)
    if path == "/offset":
        file.seek(10)
    if path == "/cut":
        headers.append(("Content-Length", "5"))
    if path == "/long":
        headers.append(("Content-Length", "1000000000"))
    start_response("200 OK", headers)
    if path == "/wrapped":
        return (block for block in wrapper(file, 1000))
    return wrapper(file)
