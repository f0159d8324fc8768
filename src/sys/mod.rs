//! Every system call that needs unsafe, behind safe functions.
