"""Is found by itself, and is weaker than the command line."""
bind = "127.0.0.1:9000"
workers = 2
timeout = 0
