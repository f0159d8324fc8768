"""TLS with certificates of clients."""
import ssl

bind = "0.0.0.0:8443"
certfile = "/etc/ssl/shop.crt"
keyfile = "shop.key"
ca_certs = "/etc/ssl/clients.crt"
cert_reqs = ssl.CERT_REQUIRED
ssl_version = ssl.PROTOCOL_TLS
ciphers = "HIGH:!aNULL"
do_handshake_on_connect = True
proxy_protocol = True
proxy_allow_ips = "10.0.0.1"
secure_scheme_headers = {"X-SECURE": "yes"}
wsgi_app = "shop:create_app('production')"
