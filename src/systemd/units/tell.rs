//! What the generator has to say. It runs before there is a log: when the machine starts, journald does not listen yet,
//! and the kernel's buffer keeps the message for it (systemd.generator(7)).

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::net::UnixDatagram,
};

const JOURNAL: &str = "/run/systemd/journal/socket";
const KERNEL: &str = "/dev/kmsg";
const IDENTIFIER: &str = "hostler-generator";

/// Says one line, as an error about `site`.
pub(crate) fn tell(site: &str, message: &str) {
    // Whoever has neither a journal nor a kernel has standard error, and nobody who reads it.
    let _ = to_journal(site, message)
        .or_else(|_| to_kernel(message))
        .or_else(|_| writeln!(io::stderr(), "{IDENTIFIER}: {message}"));
}

fn to_journal(site: &str, message: &str) -> io::Result<()> {
    let entry = format!(
        "PRIORITY=3\nSYSLOG_IDENTIFIER={IDENTIFIER}\nHOSTLER_SITE={site}\nMESSAGE={message}\n"
    );
    let socket = UnixDatagram::unbound()?;
    socket.send_to(entry.as_bytes(), JOURNAL).map(drop)
}

/// The number is the priority `err` of facility `daemon`.
fn to_kernel(message: &str) -> io::Result<()> {
    let mut kernel = OpenOptions::new().write(true).open(KERNEL)?;
    kernel.write_all(format!("<27>{IDENTIFIER}: {message}\n").as_bytes())
}
