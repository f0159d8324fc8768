//! Every system call that needs unsafe, behind safe functions.
//!
//! What rustix already offers safely (waitpid, prctl, sendmsg) is called where it is needed and not wrapped again;
//! here is only what would otherwise put `unsafe` into other rooms, and the dropping of privileges, which zygote and
//! worker need to find in one place. Policy does not belong here: these functions do what they are told.

mod account;
mod code;
mod file;
mod kin;
mod memory;
mod orphan;
mod privileges;
mod process;
mod queue;
mod room;
mod signal;
mod socket;
mod thread;

pub use account::Account;
pub use code::forget_code;
pub use file::{local_time, replace_fd, utc_time};
pub use kin::{Image, Kin, Kinship, spawn_kin};
pub use memory::{Shared, SharedMemory};
pub use orphan::{end_with_parent, parent_has_ended};
pub use privileges::{PrivilegeError, drop_privileges, forbid_dumps};
pub use process::{
    Fork, ForkError, ThreadRule, exit_without_cleanup, fork, replace_with_null, spawn_in_session,
    spawn_with_fds, thread_count,
};
pub use queue::{ListenQueue, kernel_tick, listen_queue, received_ago};
pub use room::{Room, append};
pub use signal::{
    HARAKIRI_SIGNAL, STACKS_END, STACKS_SIGNAL, end_stacks, ignore_by_handler, wake_on_signals,
};
pub use socket::{send_last_words, send_to, set_defer_accept};
pub use thread::{signal_thread, spawn_helper, thread_ident};

pub(crate) use memory::shared_struct;
