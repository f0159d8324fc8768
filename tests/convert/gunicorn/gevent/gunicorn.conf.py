"""Green threads."""
worker_class = "gevent"
workers = 2
threads = 8
timeout = 60
wsgi_app = "shop:app"
