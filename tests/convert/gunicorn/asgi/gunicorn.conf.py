"""An application that is not WSGI."""
worker_class = "uvicorn.workers.UvicornWorker"
asgi_loop = "uvloop"
keepalive = 30
wsgi_app = "shop.asgi:application"
