//! Turns a request into CGI variables (RFC 3875, PEP 3333).
