//! What is asked over every way.

/// One request, as a client sends it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) chunked: bool,
}

impl Request {
    fn get(name: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            method: "GET".into(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
            chunked: false,
        }
    }

    fn method(mut self, method: &str) -> Self {
        self.method = method.into();
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn body(mut self, length: usize) -> Self {
        self.body = (0..length).map(|index| (index * 7 % 251) as u8).collect();
        self
    }

    fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Whether it says how long its body is.
    pub(super) fn has_length(&self) -> bool {
        let has_body = !self.body.is_empty() || ["POST", "PUT"].contains(&&*self.method);
        has_body && !self.chunked
    }

    /// The bytes that go over the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            head += "Host: site.example\r\n";
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.chunked {
            head += "Transfer-Encoding: chunked\r\n\r\n";
            let mut bytes = head.into_bytes();
            for chunk in self.body.chunks(10_000) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
            return bytes;
        }
        if self.has_length() {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        [(head + "\r\n").as_bytes(), &self.body].concat()
    }
}

/// Every request, with a name of its own.
pub(super) fn all() -> Vec<Request> {
    let lists = [
        methods(),
        paths(),
        queries(),
        headers(),
        bodies(),
        answers(),
    ];
    lists.concat()
}

fn methods() -> Vec<Request> {
    let methods = [
        "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "PROPFIND", "REPORT", "MKCOL",
        "SEARCH", "LOCK", "BREW",
    ];
    let request = |method: &&str| Request::get(format!("method: {method}"), "/a").method(method);
    methods.iter().map(request).collect()
}

fn paths() -> Vec<Request> {
    let long = format!("/{}", "x".repeat(2_000));
    let deep = "/a".repeat(500);
    let paths = [
        "/",
        "/a",
        "/a/",
        "/a/b/c",
        "/a.b.c",
        "/.a",
        "/a..b",
        "/~a",
        "/a-b_c",
        "/A/b",
        "/a%20b",
        "/caf%C3%A9",
        "/%E2%82%AC",
        "/%C3%28",
        "/%41",
        "/%7Ea",
        "/a+b",
        "/a%2Bb",
        "/a;b=c",
        "/a%3Bb",
        "/a,b",
        "/a:b@c",
        "/a!$&'()*",
        "/a=b",
        "/a%25b",
        "/a%2525b",
        "/a%3Fb",
        "/a%23b",
        "/a%22b",
        "/a%3Cb%3E",
        "/a%5Cb",
        "/a%7Cb",
        "/a%5Bb%5D",
        "/a%0Ab",
        "/a%7Fb",
        "/a%2Fb",
        "//a",
        "/a//b",
        "/a/./b",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a/..",
        "/..",
        "/a%",
        "/a%zz",
        "/a%00b",
        "/index.php",
        "/a.php/b",
        "/a/b%2Ec",
        &long,
        &deep,
    ];
    let request = |path: &&str| Request::get(format!("path: {:.40}", path), *path);
    paths.iter().map(request).collect()
}

fn queries() -> Vec<Request> {
    let long = "x".repeat(3_000);
    let queries = [
        "", "a", "a=b", "a=b&c=d", "=", "&&", "a;b", "a=%20", "a+b", "%C3%A9", "%", "a%zz", "?",
        "a=?b", "a/b", "a/../b", "a[]=1", "a=%00", "a=\"b\"", "a='b'", "a=b|c", "a=%26%3D",
        "a={b}", &long,
    ];
    let request =
        |query: &&str| Request::get(format!("query: {:.40}", query), format!("/a?{query}"));
    queries.iter().map(request).collect()
}

fn headers() -> Vec<Request> {
    let long = "x".repeat(3_000);
    let headers: [(&str, &[(&str, &str)]); 35] = [
        ("accept", &[("Accept", "text/html, */*;q=0.8")]),
        ("accept-language", &[("Accept-Language", "de, en;q=0.5")]),
        ("accept-charset", &[("Accept-Charset", "utf-8")]),
        (
            "agent",
            &[("User-Agent", "Mozilla/5.0 (X11; Linux) \"test\"")],
        ),
        ("referer", &[("Referer", "http://a.example/b?c")]),
        ("origin", &[("Origin", "http://a.example")]),
        ("cookie", &[("Cookie", "a=1; b=\"2\"")]),
        ("repeated cookies", &[("Cookie", "a=1"), ("Cookie", "b=2")]),
        (
            "repeated",
            &[("X-Some", "1"), ("X-Other", "x"), ("X-Some", "2")],
        ),
        ("empty", &[("X-Empty", "")]),
        ("blanks", &[("X-Blanks", "  a  b\t c  ")]),
        ("long", &[("X-Long", &long)]),
        ("quotes", &[("X-Quotes", "\"a\\\"b\", 'c'")]),
        ("colons", &[("X-Colons", "a:b:c")]),
        ("digits in the name", &[("X-1-2", "3")]),
        ("a name of capitals", &[("X-CAPITALS", "Yes")]),
        ("an underscore", &[("X_Under", "score")]),
        ("proxy", &[("Proxy", "http://evil.example")]),
        ("authorization", &[("Authorization", "Basic dXNlcjpwYXNz")]),
        ("forwarded for", &[("X-Forwarded-For", "192.0.2.1")]),
        ("forwarded proto", &[("X-Forwarded-Proto", "https")]),
        ("range", &[("Range", "bytes=0-9")]),
        (
            "modified since",
            &[("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT")],
        ),
        ("none match", &[("If-None-Match", "\"abc\"")]),
        (
            "cache control",
            &[("Cache-Control", "no-cache"), ("Pragma", "no-cache")],
        ),
        ("date", &[("Date", "Sat, 29 Oct 1994 19:43:31 GMT")]),
        ("requested with", &[("X-Requested-With", "XMLHttpRequest")]),
        ("request id", &[("X-Request-ID", "abc")]),
        (
            "a trace",
            &[(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            )],
        ),
        ("a host with a port", &[("Host", "site.example:8080")]),
        ("a host in capitals", &[("Host", "SITE.example")]),
        ("an address as host", &[("Host", "192.0.2.1")]),
        ("content type of a get", &[("Content-Type", "text/plain")]),
        ("max forwards", &[("Max-Forwards", "7")]),
        (
            "upgrade insecure",
            &[("Upgrade-Insecure-Requests", "1"), ("DNT", "1")],
        ),
    ];
    let request = |(name, headers): &(&str, &[(&str, &str)])| {
        let request = Request::get(format!("header: {name}"), "/a");
        headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    };
    headers.iter().map(request).collect()
}

fn bodies() -> Vec<Request> {
    let sizes = [
        0, 1, 2, 100, 1_023, 8_191, 8_192, 16_384, 32_768, 65_535, 65_536, 65_537, 200_000,
        1_000_000,
    ];
    let post = |name: String, size| Request::get(name, "/a?b").method("POST").body(size);
    let plain = sizes.map(|size| post(format!("body: {size} bytes"), size));
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let others = [
        post("body: a form".into(), 50).header("Content-Type", form),
        post("body: of PUT".into(), 5_000).method("PUT"),
        post("body: of PATCH".into(), 5_000).method("PATCH"),
        post("body: of DELETE".into(), 10).method("DELETE"),
        post("body: of GET".into(), 10).method("GET"),
        post("body: unread".into(), 10).header("X-Unread", "yes"),
        post("body: large and unread".into(), 200_000).header("X-Unread", "yes"),
        post("body: in lines".into(), 100_000).header("X-Lines", "yes"),
        post("body: with an answer".into(), 70_000).header("X-Answer", "201,length,70000"),
    ];
    let chunked = [0, 1, 100, 10_001, 65_536, 300_000]
        .map(|size| post(format!("chunks: {size} bytes"), size).chunked());
    [&plain[..], &others, &chunked].concat()
}

fn answers() -> Vec<Request> {
    let statuses = [
        200, 201, 202, 203, 204, 205, 206, 207, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402,
        403, 404, 405, 406, 409, 410, 412, 415, 418, 422, 423, 429, 451, 500, 501, 502, 503, 504,
        507,
    ];
    let get = |name: String, answer: String| Request::get(name, "/a").header("X-Answer", &answer);
    let statuses = statuses.map(|status| {
        let has_body = ![204, 304, 205].contains(&status);
        let size = if has_body { 20 } else { 0 };
        get(format!("status: {status}"), format!("{status},list,{size}"))
    });
    let sizes = [0, 1, 8_192, 65_535, 65_536, 1_000_000, 3_000_000];
    let sized = sizes.iter().flat_map(|size| {
        ["length", "list", "pieces", "write"].map(|shape| {
            get(
                format!("answer: {shape} of {size}"),
                format!("200,{shape},{size}"),
            )
        })
    });
    let heads = ["length", "list", "pieces"]
        .map(|shape| get(format!("head: {shape}"), format!("200,{shape},5000")).method("HEAD"));
    let sized: Vec<Request> = sized.collect();
    [&statuses[..], &sized, &heads].concat()
}
