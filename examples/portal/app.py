"""Two applications in one file: the front page of the portal, and its blog."""

from html import escape

LINKS = ["/blog/", "/blog/first", "/news/first", "/static/style.css", "/cgi-bin/about.sh", "/cgi-bin/nothing"]

PAGE = """<!doctype html>
<title>{title}</title>
<link rel="stylesheet" href="/static/style.css">
<h1>{title}</h1>
{body}
"""


def answer(start_response, title, body):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE.format(title=escape(title), body=body).encode()]


def application(environ, start_response):
    items = "".join(f'<li><a href="{link}">{link}</a></li>\n' for link in LINKS)
    return answer(start_response, "Portal", f"<ul>\n{items}</ul>")


def blog(environ, start_response):
    """Knows nothing of where it is mounted, but by SCRIPT_NAME."""
    post = environ["PATH_INFO"].strip("/") or "all posts"
    back = f'<p><a href="{escape(environ["SCRIPT_NAME"])}/">all posts</a></p>'
    return answer(start_response, f"Blog: {post}", back)
