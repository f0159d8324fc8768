//! The line that uWSGI writes for a request when it is told nothing else, to the letter: programs read it.

use super::{
    Access, Details, WorkerMemory, clock, digits::number, escape::escape, process,
    template::ASCTIME,
};

const MIB: u64 = 1 << 20;

/// Writes `[pid: 8000|app: 0|req: 1/1] 127.0.0.1 () {28 vars in 301 bytes} [Fri Nov 20 08:53:33 2026] GET / => generated 6
/// bytes in 0 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)`.
pub(super) fn put(request: &Access<'_>, line: &mut String) {
    let unknown = Details::default();
    let details = request.details.unwrap_or(&unknown);
    if let Some(memory) = request.memory {
        put_memory(memory, line);
    }
    line.push_str("[pid: ");
    number(process(), line);
    line.push_str("|app: ");
    number(details.application.map_or(-1, i64::from), line);
    line.push_str("|req: ");
    number(details.requests.0, line);
    line.push('/');
    number(details.requests.1, line);
    line.push_str("] ");
    escape(request.peer.as_bytes(), line);
    line.push_str(" (");
    escape(request.user, line);
    line.push_str(") {");
    number(details.variable_count, line);
    line.push_str(" vars in ");
    number(details.packet_size, line);
    line.push_str(" bytes} [");
    clock::put(request.began_us, Some(ASCTIME), line);
    line.push_str("] ");
    escape(request.method, line);
    line.push(' ');
    escape(request.target, line);
    put_answer(request, details, line);
}

fn put_answer(request: &Access<'_>, details: &Details<'_>, line: &mut String) {
    line.push_str(" => generated ");
    number(request.bytes, line);
    line.push_str(" bytes in ");
    number(request.duration_us / 1000, line);
    line.push_str(match details.is_file {
        true => " msecs via sendfile() (",
        false => " msecs (",
    });
    escape(request.protocol, line);
    line.push(' ');
    number(request.status, line);
    line.push_str(") ");
    number(details.headers().count(), line);
    line.push_str(" headers in ");
    number(details.head.len(), line);
    line.push_str(" bytes (1 switches on core ");
    number(details.thread, line);
    line.push(')');
}

fn put_memory(memory: WorkerMemory, line: &mut String) {
    let WorkerMemory { rss, address_space } = memory;
    for (name, bytes) in [("address space", address_space), ("rss", rss)] {
        line.extend(["{", name, " usage: "]);
        number(bytes, line);
        line.push_str(" bytes/");
        number(bytes / MIB, line);
        line.push_str("MB} ");
    }
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
        let mut line = String::new();
        put(&request, &mut line);
        let pid = format!("[pid: {}|", std::process::id());
        let time = crate::sys::local_time(request.began_us / 1_000_000, ASCTIME);
        let line = line.replace(&pid, "[pid: 8000|");
        assert_eq!(line.replace(&time, "TIME"), expected);
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
            "[pid: 8000|app: 0|req: 3/7] 127.0.0.1 () {28 vars in 301 bytes} [TIME] GET /x?a=\\xff \
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
            "[pid: 8000|app: -1|req: 0/0]  () {0 vars in 0 bytes} [TIME]   => generated 0 bytes in 0 \
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
        let mut line = String::new();
        put(&request, &mut line);
        assert!(line.starts_with(
            "{address space usage: 136364032 bytes/130MB} {rss usage: 12214272 bytes/11MB} [pid: "
        ));
        assert!(line.contains(" msecs via sendfile() ("), "{line}");
    }
}
