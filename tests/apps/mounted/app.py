"""Several applications in one module; each answers who it is and where it believes to be."""

import json


def named(name):
    def application(environ, start_response):
        seen = {key: environ.get(key) for key in ("SCRIPT_NAME", "PATH_INFO", "REQUEST_URI")}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"name": name, **seen}).encode()]

    return application


application = named("application")
blog = named("blog")
admin = named("admin")
secret = named("secret")
