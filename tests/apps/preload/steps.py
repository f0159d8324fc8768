"""The order in which the modules beside this one were imported, and in which process."""

order = []
