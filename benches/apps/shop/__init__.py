"""A Django site as `startproject` makes them, with one page: a model in SQLite, a template that inherits from another."""
