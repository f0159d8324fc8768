"""Every test application is served through here, between wsgiref.validate (outside) and webtest.lint (inside).

An application that breaks the rules on purpose, or whose point the wrappers would hide, says so in UNCHECKED; a test
asks for the bare application of any other with TEST_BARE, so that the server's short cuts for plain lists are used too.
"""

import importlib.util
import os
import pathlib
from wsgiref.validate import validator

name = os.environ["TEST_APP"]
spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).parent / name / "app.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

application = module.application
if not hasattr(module, "UNCHECKED") and "TEST_BARE" not in os.environ:
    # Interpreters that have nothing installed are tested with what their standard library has.
    if "TEST_STDLIB_ONLY" not in os.environ:
        from webtest.lint import middleware as lint

        application = lint(application)
    application = validator(application)
