//! Socket options that rustix does not have.

use std::{
    io::{self, IoSlice},
    mem,
    os::fd::{AsFd, AsRawFd, RawFd},
    time::Duration,
};

/// A TCP listener wakes its process only when the first bytes of a connection have come (TCP_DEFER_ACCEPT of tcp(7)),
/// for at most about this long; whole seconds, rounded up.
pub fn set_defer_accept(listener: impl AsFd, limit: Duration) -> io::Result<()> {
    let seconds = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
    let seconds = libc::c_int::try_from(seconds).unwrap_or(libc::c_int::MAX);
    // SAFETY: the option's value is one int, which lives through the call.
    let result = unsafe {
        libc::setsockopt(
            listener.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_DEFER_ACCEPT,
            (&raw const seconds).cast(),
            mem::size_of_val(&seconds) as libc::socklen_t,
        )
    };
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Sends what the socket with this number takes at once. For whoever knows only the number of a socket, and knows that it
/// is not closed meanwhile.
///
/// # Errors
/// `WouldBlock`: it takes nothing; else the connection has failed.
pub fn send_to(socket: RawFd, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    // SAFETY: a header of zeros is valid, and asks for nothing.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    // sendmsg(2) does not write to them, but for the type; std promises that slices of its own are the system's.
    message.msg_iov = pieces.as_ptr().cast_mut().cast();
    message.msg_iovlen = pieces.len();
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the header and the pieces that it names live through the call, which refuses a number that is no socket's.
    let sent = unsafe { libc::sendmsg(socket, &raw const message, flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends what the socket with this number takes at once, and ends the sending side (SHUT_WR), so that its peer sees the
/// end after it. For whoever knows only the number of a socket, and knows that it is not closed meanwhile; of what
/// becomes of the words nobody would hear, so nothing is returned.
pub fn send_last_words(socket: RawFd, words: &[u8]) {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: send(2) reads as many bytes as there are; it and shutdown(2) refuse a number that is no socket's.
    unsafe {
        libc::send(socket, words.as_ptr().cast(), words.len(), flags);
        libc::shutdown(socket, libc::SHUT_WR);
    }
}
