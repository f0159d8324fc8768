//! The variables that have a name of their own in CGI, so that they can index a table.

/// A variable that RFC 3875 names, or that every front server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Standard {
    /// Length of the body in bytes, as it was sent.
    ContentLength,
    /// Media type of the body.
    ContentType,
    /// Root directory of the front server's site (uwsgi only).
    DocumentRoot,
    /// `on` when the client's connection is encrypted.
    Https,
    /// Path below the application, decoded.
    PathInfo,
    /// After the `?`, not decoded.
    QueryString,
    /// Address of the client.
    RemoteAddr,
    /// Port of the client.
    RemotePort,
    /// Method.
    RequestMethod,
    /// `http` or `https` (uwsgi only).
    RequestScheme,
    /// The request target as it was sent.
    RequestUri,
    /// Path of the application.
    ScriptName,
    /// Name of the server.
    ServerName,
    /// Port of the server.
    ServerPort,
    /// `HTTP/1.1` or `HTTP/1.0`.
    ServerProtocol,
}

impl Standard {
    /// All of them; each is at its own index.
    pub const ALL: [Self; 15] = [
        Self::ContentLength,
        Self::ContentType,
        Self::DocumentRoot,
        Self::Https,
        Self::PathInfo,
        Self::QueryString,
        Self::RemoteAddr,
        Self::RemotePort,
        Self::RequestMethod,
        Self::RequestScheme,
        Self::RequestUri,
        Self::ScriptName,
        Self::ServerName,
        Self::ServerPort,
        Self::ServerProtocol,
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Index into a table of [`Self::COUNT`] rows.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in an environ.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContentLength => "CONTENT_LENGTH",
            Self::ContentType => "CONTENT_TYPE",
            Self::DocumentRoot => "DOCUMENT_ROOT",
            Self::Https => "HTTPS",
            Self::PathInfo => "PATH_INFO",
            Self::QueryString => "QUERY_STRING",
            Self::RemoteAddr => "REMOTE_ADDR",
            Self::RemotePort => "REMOTE_PORT",
            Self::RequestMethod => "REQUEST_METHOD",
            Self::RequestScheme => "REQUEST_SCHEME",
            Self::RequestUri => "REQUEST_URI",
            Self::ScriptName => "SCRIPT_NAME",
            Self::ServerName => "SERVER_NAME",
            Self::ServerPort => "SERVER_PORT",
            Self::ServerProtocol => "SERVER_PROTOCOL",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"CONTENT_LENGTH" => Self::ContentLength,
            b"CONTENT_TYPE" => Self::ContentType,
            b"DOCUMENT_ROOT" => Self::DocumentRoot,
            b"HTTPS" => Self::Https,
            b"PATH_INFO" => Self::PathInfo,
            b"QUERY_STRING" => Self::QueryString,
            b"REMOTE_ADDR" => Self::RemoteAddr,
            b"REMOTE_PORT" => Self::RemotePort,
            b"REQUEST_METHOD" => Self::RequestMethod,
            b"REQUEST_SCHEME" => Self::RequestScheme,
            b"REQUEST_URI" => Self::RequestUri,
            b"SCRIPT_NAME" => Self::ScriptName,
            b"SERVER_NAME" => Self::ServerName,
            b"SERVER_PORT" => Self::ServerPort,
            b"SERVER_PROTOCOL" => Self::ServerProtocol,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Standard;

    #[test]
    fn names_and_indices_lead_back() {
        for (index, standard) in Standard::ALL.into_iter().enumerate() {
            assert_eq!(standard.index(), index);
            assert_eq!(
                Standard::from_name(standard.name().as_bytes()),
                Some(standard)
            );
        }
    }
}
