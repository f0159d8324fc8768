//! What the kernel tells of files (inotify(7)), all that there is at once.

use std::{io, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use tokio::io::unix::AsyncFd;

use crate::supervisor::readable;

/// One thing that has happened.
#[derive(Debug)]
pub(super) struct Notice {
    /// The number of the watch; none is meant when notices were lost.
    pub(super) watch: i32,
    /// What has happened.
    pub(super) flags: ReadFlags,
    /// Name of an entry of the watched directory; empty for what is watched itself.
    pub(super) name: String,
}

/// An inotify instance.
pub(super) struct Notices {
    inotify: AsyncFd<OwnedFd>,
}

impl Notices {
    pub(super) fn new() -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let inotify = readable(fd)?;
        Ok(Self { inotify })
    }

    /// Watches a file or directory; nothing when that cannot be: it is not there, it is not ours, or there are more than
    /// fs.inotify.max_user_watches. The number is the same for a thing that is watched already.
    pub(super) fn watch(&self, path: &Path, flags: WatchFlags) -> Option<i32> {
        inotify::add_watch(self.inotify.get_ref(), path, flags).ok()
    }

    /// Does not watch this any more.
    pub(super) fn forget(&self, watch: i32) {
        // It fails when the thing is gone, and the watch with it.
        let _ = inotify::remove_watch(self.inotify.get_ref(), watch);
    }

    /// Waits until there is something, and gives all of it. Nothing is lost when the wait is given up.
    pub(super) async fn next(&self) -> Vec<Notice> {
        let Ok(mut ready) = self.inotify.readable().await else {
            return Vec::new();
        };
        ready.clear_ready();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(self.inotify.get_ref(), &mut buffer);
        let mut notices = Vec::new();
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_string_lossy());
            notices.push(Notice {
                watch: event.wd(),
                flags: event.events(),
                name: name.unwrap_or_default().into_owned(),
            });
        }
        notices
    }
}
