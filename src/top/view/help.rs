//! What the keys do and the columns say, for the screen.

/// At most 76 columns and 16 lines, so that all of them are seen in the smallest usual terminal.
pub(super) const LINES: &[&str] = &[
    "",
    "  up down j k     move the cursor          Home End g G   to the ends",
    "  PgUp PgDn       ten rows                 Tab            other table",
    "  Enter           the workers of a site    Esc            back",
    "  d               stacks of the threads of the worker at the cursor",
    "",
    "  s               sort by the next column  r              other direction",
    "  /               show only what contains a text; Esc shows all again",
    "  space p         hold everything as it is, or go on",
    "  ? h             this page                q Ctrl-C       end",
    "",
    "  BUSY    threads of Python at work, of all",
    "  QUEUE   connections that nobody has accepted yet, of the backlog",
    "  P50     half of the requests since the last reading took no longer",
    "  PSS     memory, shared pages divided among those who share them",
];
