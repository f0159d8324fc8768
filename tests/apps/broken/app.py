"""Cannot be imported."""


def deep():
    raise LookupError("this application cannot be imported")


deep()
