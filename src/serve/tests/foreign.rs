//! The engine below a loop that is not its own: here the test is the loop.

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::*;
use crate::{
    config::EventLoop,
    serve::{Seat, Waiting},
};

/// Whoever goes on with connections.
enum Role {
    Hub,
    /// Whether it has had its request.
    Lane(bool),
}

struct Green(Answer);

impl Application for Green {
    type Thread = Role;

    fn call(&self, role: &mut Role, exchange: &mut Exchange<'_>) {
        assert!(matches!(role, Role::Lane(false)), "one request for a lane");
        *role = Role::Lane(true);
        (self.0)(exchange);
        exchange.finish();
    }

    fn is_standby(role: &Role) -> bool {
        !matches!(role, Role::Lane(false))
    }

    fn while_waiting<R: Send>(&self, _: &mut Role, sleep: impl FnOnce() -> R + Send) -> R {
        sleep()
    }
}

struct Loop {
    engine: Engine<Green>,
    hub: Box<Seat>,
    address: std::net::SocketAddr,
    drain: Option<OwnedFd>,
}

const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};
const PATIENCE: Timespec = Timespec {
    tv_sec: 30,
    tv_nsec: 0,
};

impl Loop {
    fn new(answer: Answer) -> Self {
        let mut settings = Settings::default();
        settings.app.module = Some("closure".into());
        settings.workers.event_loop = EventLoop::Gevent;
        settings.workers.concurrency = 2;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (drain, drained) = std::os::unix::net::UnixStream::pair().unwrap();
        let scoreboard = Arc::new(Scoreboard::create(1, settings.serving_threads()).unwrap());
        let plan = Plan {
            settings,
            handover: None,
            listeners: vec![ListeningSocket {
                protocol: Protocol::Http,
                address: address.to_string(),
                socket: listener.into(),
                tls: None,
                redirect: None,
                proxied: false,
            }],
            scoreboard: Arc::clone(&scoreboard),
            slot: 0,
            server_name: "test".into(),
            gathered: None,
            watches: Arc::new(Watches::new(scoreboard, 0)),
            control: None,
            on_control: Box::new(|| false),
            drain: vec![drained.into()],
            on_ring: Box::new(|| {}),
            on_drain: Box::new(|| {}),
        };
        let engine = Engine::new(plan, Green(answer)).unwrap();
        Self {
            hub: engine.seat(engine.threads()),
            engine,
            address,
            drain: Some(drain.into()),
        }
    }

    fn has_events(&self, limit: &Timespec) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(
            self.engine.events(),
            PollFlags::IN,
        )];
        poll(&mut fds, Some(limit)).unwrap() > 0
    }

    /// Waits for events, and takes a turn; gives whether the engine has drained.
    fn turn(&mut self) -> bool {
        assert!(self.has_events(&PATIENCE), "nothing happens");
        self.engine.turn(&mut self.hub, &mut Role::Hub)
    }

    /// Takes turns until a request waits for the application.
    fn next(&mut self) -> Waiting {
        loop {
            if let Some(waiting) = self.engine.next_waiting() {
                return waiting;
            }
            assert!(!self.turn(), "it has drained");
        }
    }

    fn pause(&mut self) {
        self.engine.pause(&mut self.hub, &mut Role::Hub);
    }

    fn go_on(&self, waiting: Waiting) {
        let mut seat = self.engine.seat(0);
        self.engine
            .go_on_with(waiting, &mut seat, &mut Role::Lane(false));
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    fn client(&self, says: &str) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(says.as_bytes()).unwrap();
        stream
    }
}

#[test]
fn a_request_for_the_application_waits_for_a_lane() {
    let mut site = Loop::new(hello);
    let mut client = site.client(GET);
    let waiting = site.next();
    assert!(site.engine.next_waiting().is_none());
    site.go_on(waiting);
    until(&mut client, "hello");
}

#[test]
fn each_request_of_a_connection_has_a_lane_of_its_own() {
    let mut site = Loop::new(hello);
    let mut client = site.client(&GET.repeat(3));
    for _ in 0..3 {
        let waiting = site.next();
        site.go_on(waiting);
        until(&mut client, "hello");
    }
}

#[test]
fn bodies_are_read_by_the_hub() {
    let mut site = Loop::new(echo);
    let (head, body) = (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
        "body",
    );
    let mut client = site.client(head);
    site.turn();
    assert!(site.engine.next_waiting().is_none());
    client.write_all(body.as_bytes()).unwrap();
    let waiting = site.next();
    site.go_on(waiting);
    until(&mut client, body);
}

#[test]
fn who_is_put_back_is_the_first_again() {
    let mut site = Loop::new(hello);
    let mut clients = [site.client(GET), site.client(GET)];
    let first = site.next();
    site.engine.put_back(first);
    for _ in 0..2 {
        let waiting = site.next();
        site.go_on(waiting);
    }
    for client in &mut clients {
        until(client, "hello");
    }
}

#[test]
fn nothing_is_accepted_while_nobody_has_time() {
    let mut site = Loop::new(hello);
    site.pause();
    let mut client = site.client(GET);
    assert!(!site.has_events(&AT_ONCE));
    site.engine.resume();
    let waiting = site.next();
    site.go_on(waiting);
    until(&mut client, "hello");
}

/// The kernel has woken nobody else for it.
#[test]
fn what_has_come_before_is_accepted() {
    let mut site = Loop::new(hello);
    let mut client = site.client(GET);
    site.pause();
    let waiting = site.engine.next_waiting().unwrap();
    site.go_on(waiting);
    until(&mut client, "hello");
}

#[test]
fn a_drain_waits_for_requests_that_wait() {
    let mut site = Loop::new(hello);
    let mut client = site.client(GET);
    let waiting = site.next();
    site.drain = None;
    assert!(!site.turn());
    // Nothing is accepted from here on, whoever has time.
    let _late = site.client(GET);
    site.pause();
    site.engine.resume();
    assert!(site.engine.next_waiting().is_none());
    site.go_on(waiting);
    assert!(until_closed(&mut client).ends_with("hello"));
    while !site.turn() {}
}
