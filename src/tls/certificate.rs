//! What a certificate says, in words: how long it holds, and who its owner is.

use std::{
    fmt::Write,
    time::{Duration, SystemTime},
};

use rustls_pki_types::CertificateDer;
use x509_cert::{
    certificate::{CertificateInner, Raw},
    der::{
        self, DateTime, Decode,
        pem::{LineEnding, encode_string},
    },
    time::Time,
};

use super::{error::TlsError, material::Pem, name, server};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Less than this, and less than a quarter of the whole time, is soon. Whoever renews by a timer has done it by then.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The client's certificate as its variables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// `SSL_CLIENT_S_DN`, RFC 2253.
    pub(super) subject: String,
    /// `SSL_CLIENT_I_DN`.
    pub(super) issuer: String,
    /// `HTTPS_DN`, uWSGI's: `/C=DE/CN=name`.
    pub(super) path: String,
    /// `SSL_CLIENT_M_SERIAL`, hexadecimal.
    pub(super) serial: String,
    /// `SSL_CLIENT_V_START`.
    pub(super) from: String,
    /// `SSL_CLIENT_V_END`.
    pub(super) until: String,
    /// `SSL_CLIENT_CERT` and `HTTPS_CC`.
    pub(super) pem: String,
}

impl Owner {
    /// # Errors
    /// It is no certificate, which the one that checked it would have found out.
    pub(super) fn of(certificate: &[u8]) -> Result<Self, der::Error> {
        let decoded = decode(certificate)?;
        let tbs = decoded.tbs_certificate();
        let validity = tbs.validity();
        Ok(Self {
            subject: name::rfc2253(tbs.subject()),
            issuer: name::rfc2253(tbs.issuer()),
            path: name::oneline(tbs.subject()),
            serial: serial(tbs.serial_number().as_bytes()),
            from: openssl_date(validity.not_before),
            until: openssl_date(validity.not_after),
            pem: encode_string("CERTIFICATE", LineEnding::LF, certificate)?,
        })
    }
}

/// What is wrong with the time of the first certificate of a file, if anything is, and what to do about it.
pub(super) fn warning(file: &Pem, now: SystemTime) -> Result<Option<String>, TlsError> {
    let chain = server::certificates(file)?;
    let Some(own) = chain.first() else {
        return Ok(None);
    };
    let (from, until) = validity(own).map_err(|source| TlsError::Certificate {
        path: file.path.clone(),
        source,
    })?;
    let path = file.path.display();
    Ok(match judge(from, until, now) {
        Judgement::Good => None,
        Judgement::Early => Some(format!(
            "the certificate {path} holds only from {} on; is the clock of this machine right?",
            date(from)
        )),
        Judgement::Over => Some(format!(
            "the certificate {path} has expired on {}, clients refuse it; renew it, then reload the site",
            date(until)
        )),
        Judgement::Soon(days) => Some(format!(
            "the certificate {path} expires on {}, in {days} days; renew it, then reload the site",
            date(until)
        )),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Early,
    Good,
    Over,
    /// In so many days.
    Soon(u64),
}

fn judge(from: Time, until: Time, now: SystemTime) -> Judgement {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (from, until) = (from.to_unix_duration(), until.to_unix_duration());
    let Some(left) = until.checked_sub(now) else {
        return Judgement::Over;
    };
    if now < from {
        return Judgement::Early;
    }
    if left < SOON && left < (until - from) / 4 {
        return Judgement::Soon(left.as_secs() / DAY.as_secs());
    }
    Judgement::Good
}

fn decode(certificate: &[u8]) -> Result<CertificateInner<Raw>, der::Error> {
    CertificateInner::from_der(certificate)
}

fn validity(certificate: &CertificateDer<'_>) -> Result<(Time, Time), der::Error> {
    let decoded = decode(certificate)?;
    let validity = decoded.tbs_certificate().validity();
    Ok((validity.not_before, validity.not_after))
}

/// As OpenSSL prints a serial number: whole bytes, without the one that only says that it is positive.
fn serial(bytes: &[u8]) -> String {
    let significant = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    significant.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// `Nov  3 08:05:00 2026 GMT`.
fn openssl_date(time: Time) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let date = time.to_date_time();
    let month = MONTHS[usize::from(date.month() - 1) % MONTHS.len()];
    format!(
        "{month} {:2} {:02}:{:02}:{:02} {} GMT",
        date.day(),
        date.hour(),
        date.minutes(),
        date.seconds(),
        date.year()
    )
}

/// `2026-11-03 08:05 UTC`.
fn date(time: Time) -> String {
    let date: DateTime = time.to_date_time();
    format!(
        "{}-{:02}-{:02} {:02}:{:02} UTC",
        date.year(),
        date.month(),
        date.day(),
        date.hour(),
        date.minutes()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(days: u64) -> Time {
        let date = DateTime::from_unix_duration(DAY * u32::try_from(days).unwrap()).unwrap();
        Time::from(date)
    }

    #[track_caller]
    fn check(from: u64, until: u64, now: u64, expected: Judgement) {
        let now = SystemTime::UNIX_EPOCH + DAY * u32::try_from(now).unwrap();
        assert_eq!(judge(time(from), time(until), now), expected);
    }

    #[test]
    fn two_weeks_before_the_end_are_soon() {
        check(20_000, 20_090, 20_075, Judgement::Good);
        check(20_000, 20_090, 20_077, Judgement::Soon(13));
        check(20_000, 20_090, 20_090, Judgement::Soon(0));
        check(20_000, 20_090, 20_091, Judgement::Over);
        check(20_000, 20_090, 19_999, Judgement::Early);
    }

    #[test]
    fn a_short_life_is_not_always_near_its_end() {
        check(20_000, 20_006, 20_004, Judgement::Good);
        check(20_000, 20_006, 20_005, Judgement::Soon(1));
    }

    #[test]
    fn serial_numbers_are_whole_bytes() {
        assert_eq!(serial(&[0, 0xab, 1]), "AB01");
        assert_eq!(serial(&[7]), "07");
        assert_eq!(serial(&[0]), "00");
    }

    #[test]
    fn dates_are_as_openssl_writes_them() {
        assert_eq!(openssl_date(time(20_400)), "Nov  8 00:00:00 2025 GMT");
    }
}
