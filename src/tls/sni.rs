//! Which certificate a client gets: by the name that it asks for (RFC 6066 section 3).

use std::{collections::BTreeMap, sync::Arc};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// The certificates of one listener.
#[derive(Debug)]
pub(super) struct Certificates {
    first: Arc<CertifiedKey>,
    /// By host name, in lower case.
    exact: BTreeMap<String, Arc<CertifiedKey>>,
    /// By what follows the `*.`.
    wildcard: BTreeMap<String, Arc<CertifiedKey>>,
}

impl Certificates {
    /// `first` is for clients that name no host, or one that is not among `named`.
    pub(super) fn new(
        first: CertifiedKey,
        named: impl IntoIterator<Item = (String, CertifiedKey)>,
    ) -> Self {
        let (mut exact, mut wildcard) = (BTreeMap::new(), BTreeMap::new());
        for (host, key) in named {
            match host.strip_prefix("*.") {
                Some(parent) => wildcard.insert(parent.to_owned(), Arc::new(key)),
                None => exact.insert(host, Arc::new(key)),
            };
        }
        Self {
            first: Arc::new(first),
            exact,
            wildcard,
        }
    }

    /// RFC 9525 section 6.3: a wildcard stands for one label, the leftmost.
    fn of(&self, host: &str) -> &Arc<CertifiedKey> {
        let host = host.to_ascii_lowercase();
        let below = || {
            let (_, parent) = host.split_once('.')?;
            self.wildcard.get(parent)
        };
        let named = self.exact.get(&host).or_else(below);
        named.unwrap_or(&self.first)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = hello.server_name().map(|host| self.of(host));
        Some(Arc::clone(key.unwrap_or(&self.first)))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::certified_key, *};

    #[track_caller]
    fn check(host: &str, expected: &str) {
        let names = ["a.example", "*.example.com", "deep.example.com"];
        let named = names.map(|name| (name.to_owned(), certified_key(name)));
        let certificates = Certificates::new(certified_key("first"), named);
        let expected = match expected {
            "first" => &certificates.first,
            other => match other.strip_prefix("*.") {
                Some(parent) => &certificates.wildcard[parent],
                None => &certificates.exact[other],
            },
        };
        assert!(Arc::ptr_eq(certificates.of(host), expected), "{host}");
    }

    #[test]
    fn the_most_exact_name_wins() {
        check("a.example", "a.example");
        check("A.EXAMPLE", "a.example");
        check("deep.example.com", "deep.example.com");
        check("www.example.com", "*.example.com");
    }

    #[test]
    fn a_wildcard_is_one_label() {
        check("example.com", "first");
        check("a.b.example.com", "first");
        check("unknown.example", "first");
    }
}
