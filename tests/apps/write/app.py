"""The write() callable: /before the iterable, /alone, /empty (writes nothing), /many."""


def application(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path == "/many":
        for number in range(1000):
            write(b"%d\n" % number)
        return []
    write(b"" if path == "/empty" else b"written ")
    return [b"iterated"] if path == "/before" else []
