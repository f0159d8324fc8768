"""A guestbook: small, and yet with what real sites need of a server: forms, uploads, downloads, a stream, the admin."""
