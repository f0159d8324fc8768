//! The page for people: one file with everything in it, compiled in. It polls `live` and draws.

/// What stands in the file where each answer has a number of its own.
const NONCE: &str = "@NONCE@";

/// The page as it goes out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The document.
    pub(crate) html: String,
    /// What browsers may do with it (Content-Security-Policy): run and style by what carries the number, and ask here.
    pub(crate) policy: String,
}

impl Page {
    /// With a random number that nobody can know before.
    pub(crate) fn new(random: u128) -> Self {
        let nonce = format!("{random:032x}");
        Self {
            html: include_str!("page.html").replace(NONCE, &nonce),
            policy: format!(
                "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
                 connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_carries_the_number_may_run() {
        let page = Page::new(7);
        let nonce = format!("{:032x}", 7);
        assert_eq!(page.html.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
        assert_eq!(page.policy.matches(&format!("'nonce-{nonce}'")).count(), 2);
        assert!(!page.html.contains(NONCE));
    }

    #[test]
    fn nothing_comes_from_elsewhere_and_no_text_becomes_markup() {
        let html = include_str!("page.html");
        for forbidden in [
            "http:",
            "https:",
            "//cdn",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "document.write",
        ] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(!html.contains(" style=\"") && !html.contains(" onclick="));
    }
}
