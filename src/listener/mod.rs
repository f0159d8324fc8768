//! Turns `[[listen]]` and inherited sockets into listening sockets.
