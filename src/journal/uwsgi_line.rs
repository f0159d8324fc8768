//! The line that uWSGI writes for a request when it is told nothing else, to the letter: programs read it.

use std::fmt::Write as _;

use super::{
    Access, Details, WorkerMemory,
    escape::{escape, escaped},
};

const MIB: u64 = 1 << 20;

/// `[pid: 8000|app: 0|req: 1/1] 127.0.0.1 () {28 vars in 301 bytes} [Fri Nov 20 08:53:33 2026] GET / => generated 6 bytes in
/// 0 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)`; `time` is in the form of asctime(3).
pub(super) fn line(request: &Access<'_>, time: &str) -> String {
    let unknown = Details::default();
    let details = request.details.unwrap_or(&unknown);
    let mut line = String::with_capacity(256 + request.target.len());
    if let Some(memory) = request.memory {
        report(memory, &mut line);
    }
    // Writing into a string does not fail.
    let _ = write!(
        line,
        "[pid: {}|app: {}|req: {}/{}] {} ({}) {{{} vars in {} bytes}} [{time}] ",
        std::process::id(),
        details.application.map_or(-1, i64::from),
        details.requests.0,
        details.requests.1,
        escaped(request.peer.as_bytes()),
        escaped(request.user),
        details.variable_count,
        details.packet_size,
    );
    escape(request.method, &mut line);
    line.push(' ');
    escape(request.target, &mut line);
    let _ = write!(
        line,
        " => generated {} bytes in {} msecs{}({} {}) {} headers in {} bytes (1 switches on core {})",
        request.bytes,
        request.duration_us / 1000,
        if details.is_file {
            " via sendfile() "
        } else {
            " "
        },
        escaped(request.protocol),
        request.status,
        details.headers().count(),
        details.head.len(),
        details.thread,
    );
    line
}

fn report(memory: WorkerMemory, line: &mut String) {
    let WorkerMemory { rss, address_space } = memory;
    let _ = write!(
        line,
        "{{address space usage: {address_space} bytes/{}MB}} {{rss usage: {rss} bytes/{}MB}} ",
        address_space / MIB,
        rss / MIB,
    );
}

#[cfg(test)]
mod tests {
    use super::{super::access::tests::REQUEST, *};

    const DETAILS: Details<'_> = Details {
        application: Some(0),
        requests: (3, 7),
        thread: 1,
        variables: Vec::new(),
        variable_count: 28,
        packet_size: 301,
        modifiers: (0, 0),
        head: b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n",
        content_length: 0,
        errors: (0, 0),
        is_file: false,
    };

    #[track_caller]
    fn check(request: Access<'_>, expected: &str) {
        let line = line(&request, "Fri Nov 20 08:53:33 2026");
        let pid = format!("[pid: {}|", std::process::id());
        assert_eq!(line.replace(&pid, "[pid: 8000|"), expected);
    }

    #[test]
    fn it_is_uwsgis_line() {
        let request = Access {
            protocol: b"HTTP/1.1",
            details: Some(&DETAILS),
            ..REQUEST
        };
        check(
            request,
            "[pid: 8000|app: 0|req: 3/7] 127.0.0.1 () {28 vars in 301 bytes} [Fri Nov 20 08:53:33 2026] GET /x?a=\\xff \
             => generated 12 bytes in 3 msecs (HTTP/1.1 404) 1 headers in 52 bytes (1 switches on core 1)",
        );
    }

    #[test]
    fn what_is_no_request_has_a_line_too() {
        let refused = Access {
            status: 400,
            ..Access::default()
        };
        check(
            refused,
            "[pid: 8000|app: -1|req: 0/0]  () {0 vars in 0 bytes} [Fri Nov 20 08:53:33 2026]   => generated 0 bytes in 0 \
             msecs ( 400) 0 headers in 0 bytes (1 switches on core 0)",
        );
    }

    #[test]
    fn memory_and_files_are_told_as_uwsgi_does() {
        let file = Details {
            is_file: true,
            ..DETAILS
        };
        let memory = WorkerMemory {
            rss: 12_214_272,
            address_space: 136_364_032,
        };
        let request = Access {
            memory: Some(memory),
            details: Some(&file),
            ..REQUEST
        };
        let line = line(&request, "");
        assert!(line.starts_with(
            "{address space usage: 136364032 bytes/130MB} {rss usage: 12214272 bytes/11MB} [pid: "
        ));
        assert!(line.contains(" msecs via sendfile() ("), "{line}");
    }
}
