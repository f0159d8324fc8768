"""Configurations of nginx, as Debian ships it, with one worker: in front of a server, or a server of files itself."""

import os


def in_front(front, backend, protocol, directory):
    """The command line of an nginx that passes everything from `front` on to `backend`.

    The uwsgi protocol: its shipped uwsgi_params, a connection per request. HTTP: connections to the server are kept.
    """
    if protocol == "uwsgi":
        return _command(directory / "nginx", f"""
            server {{ listen {front}; location / {{ include /etc/nginx/uwsgi_params; uwsgi_pass unix:{backend}; }} }}
        """)
    return _command(directory / "nginx", f"""
        upstream server {{ server {backend}; keepalive 64; keepalive_requests 1000000000; }}
        server {{
            listen {front};
            location / {{ proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        }}
    """)


def of_files(address, root, directory):
    """The command line of an nginx with nothing but files."""
    return _command(directory / "nginx-files", f"""
        sendfile on; tcp_nopush on; include /etc/nginx/mime.types;
        server {{ listen {address}; root {root}; }}
    """)


def _command(prefix, http):
    prefix.mkdir(exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{kind}_temp_path {prefix}/{kind};" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (prefix / "nginx.conf").write_text(f"""
        {user} daemon off; worker_processes 1; pid {prefix}/pid; error_log stderr;
        events {{ worker_connections 1024; }}
        http {{ access_log off; keepalive_requests 1000000000; {temporary} {http} }}
    """)
    return ["nginx", "-p", str(prefix), "-c", str(prefix / "nginx.conf"), "-e", "stderr"]
