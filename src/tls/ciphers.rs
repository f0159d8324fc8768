//! The cipher suites that rustls has, by rustls' names and by those of OpenSSL, which applications know.

use rustls::{CipherSuite, SupportedCipherSuite, crypto::ring::ALL_CIPHER_SUITES};

use super::error::TlsError;

/// The suites that `names` stand for, in their order; without names all, in rustls' order.
///
/// # Errors
/// [`TlsError::Cipher`].
pub(super) fn chosen(names: &[String]) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    if names.is_empty() {
        return Ok(ALL_CIPHER_SUITES.to_vec());
    }
    names.iter().map(|name| find(name)).collect()
}

/// OpenSSL's name of a suite, as mod_ssl has it in SSL_CIPHER.
pub(super) fn openssl_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "ECDHE-ECDSA-CHACHA20-POLY1305"
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        other => other.as_str().unwrap_or("unknown"),
    }
}

fn rustls_name(suite: &SupportedCipherSuite) -> &'static str {
    suite.suite().as_str().unwrap_or("unknown")
}

fn find(name: &str) -> Result<SupportedCipherSuite, TlsError> {
    let is_it = |suite: &&SupportedCipherSuite| {
        [rustls_name(suite), openssl_name(suite.suite())].contains(&name)
    };
    let found = ALL_CIPHER_SUITES.iter().find(is_it).copied();
    found.ok_or_else(|| TlsError::Cipher {
        name: name.to_owned(),
        known: ALL_CIPHER_SUITES
            .iter()
            .map(rustls_name)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[CipherSuite]) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let suites: Vec<_> = chosen(&names).unwrap();
        let suites: Vec<_> = suites.iter().map(SupportedCipherSuite::suite).collect();
        assert_eq!(suites, expected);
    }

    #[test]
    fn both_names_are_known() {
        let suite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;
        let names = [
            "ECDHE-RSA-AES256-GCM-SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ];
        check(&names, &[suite, suite]);
        check(
            &["TLS_AES_128_GCM_SHA256", "TLS13_AES_256_GCM_SHA384"],
            &[
                CipherSuite::TLS13_AES_128_GCM_SHA256,
                CipherSuite::TLS13_AES_256_GCM_SHA384,
            ],
        );
    }

    #[test]
    fn every_suite_has_both_names() {
        for suite in ALL_CIPHER_SUITES {
            let names = [rustls_name(suite), openssl_name(suite.suite())];
            check(&names, &[suite.suite(); 2]);
            assert!(!names.contains(&"unknown"), "{names:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = chosen(&["HIGH".to_owned()]).unwrap_err().to_string();
        assert!(
            error.starts_with("`HIGH` is none of the cipher suites"),
            "{error}"
        );
        assert!(error.contains("TLS13_AES_128_GCM_SHA256, "), "{error}");
    }
}
