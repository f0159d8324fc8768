"""A site behind nginx, as tutorials have it."""
import multiprocessing

print("whatever the file prints does no harm")
bind = "unix:/run/shop/shop.sock"
workers = min(multiprocessing.cpu_count() * 0 + 3, 8)
max_requests = 1000
max_requests_jitter = 50
wsgi_app = "shop.wsgi"
chdir = "/srv/shop"
