//! Where the database is.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, Result};

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file that SQLite keeps, beside this process.
    Sqlite(PathBuf),
    /// A PostgreSQL server, which several processes share.
    Postgres(Postgres),
}

/// A PostgreSQL server, and how much of it this process takes.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// `postgres://user:password@host/database?sslmode=verify-full&…`, as libpq reads it. Holds the
    /// password; shown nowhere.
    pub url: SecretString,
    /// Connections that write at the same time.
    pub writers: u32,
    /// Connections that read at the same time.
    pub readers: u32,
}

/// Connections of each kind unless the configuration says otherwise.
const CONNECTIONS: u32 = 4;

/// What a connection is asked for unless the URL says otherwise: an answer in time also from a
/// server that is gone, and the one server that can be written to, since the gate must not decide on
/// what a replica has not heard of yet.
const DEFAULTS: [(&str, &str); 6] = [
    ("application_name", "halsonav"),
    ("connect_timeout", "5"),
    ("keepalives_idle", "30"),
    ("keepalives_interval", "10"),
    ("tcp_user_timeout", "30000"),
    ("target_session_attrs", "read-write"),
];

impl Place {
    /// Reads `postgres://…` as a server, everything else as the path of a file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(Postgres {
                url: text.into(),
                writers: CONNECTIONS,
                readers: CONNECTIONS,
            })
        } else {
            Self::Sqlite(text.into())
        }
    }
}

/// A URL taken apart, as far as is needed to keep its secrets.
struct Parts<'a> {
    password: &'a str,
    query: Vec<(&'a str, &'a str)>,
}

impl Postgres {
    fn parts(&self) -> Result<Parts<'_>> {
        let url = self.url.expose_secret();
        let unreadable = || Error::Open("the URL of the database cannot be read".to_owned());
        let (_, rest) = url.split_once("://").ok_or_else(unreadable)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        // Else libpq would take a piece of the password for a host, and name it in its message.
        if authority.matches('@').count() > 1 || path.contains('@') {
            return Err(Error::Open(
                "user name and password in the URL of the database must be percent-encoded"
                    .to_owned(),
            ));
        }
        let user = authority.split_once('@').map_or("", |(user, _)| user);
        Ok(Parts {
            password: user.split_once(':').map_or("", |(_, password)| password),
            query: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .collect(),
        })
    }

    /// The URL with what it leaves open filled in.
    pub(crate) fn filled(&self) -> Result<SecretString> {
        let parts = self.parts()?;
        let mut filled = self.url.expose_secret().to_owned();
        for (key, value) in DEFAULTS {
            if parts.query.iter().any(|(given, _)| *given == key) {
                continue;
            }
            let joint = if filled.contains('?') { '&' } else { '?' };
            filled.push_str(&format!("{joint}{key}={value}"));
        }
        Ok(filled.into())
    }

    /// What libpq said, unless it has quoted the password: it quotes what it cannot read.
    pub(crate) fn told(&self, message: &str) -> Error {
        let quoted = self.parts().is_ok_and(|parts| {
            let named = |(key, _): &&(&str, &str)| key.ends_with("password");
            let secrets = parts.query.iter().filter(named).map(|(_, value)| *value);
            secrets
                .chain([parts.password])
                .filter(|secret| !secret.is_empty())
                .any(|secret| message.contains(secret) || message.contains(&decoded(secret)))
        });
        Error::Open(if quoted {
            "the URL of the database cannot be used".to_owned()
        } else {
            message.trim().to_owned()
        })
    }
}

/// Without percent-encoding, as far as it is any.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match (first, after.split_at_checked(2)) {
            (b'%', Some((digits, after))) if hex(digits).is_some() => {
                bytes.extend(hex(digits));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Postgres {
        match Place::parse(url) {
            Place::Postgres(server) => server,
            Place::Sqlite(_) => panic!("{url}"),
        }
    }

    #[test]
    fn a_path_is_a_file_and_a_url_a_server() {
        assert!(matches!(Place::parse("data/hub.db"), Place::Sqlite(_)));
        assert!(matches!(
            Place::parse("postgresql:///halsonav"),
            Place::Postgres(_)
        ));
    }

    #[test]
    fn what_the_url_leaves_open_is_filled_in_and_nothing_else() {
        let filled = |url| server(url).filled().expect("readable");
        let url = filled("postgres://a@b/c");
        assert!(
            url.expose_secret()
                .starts_with("postgres://a@b/c?application_name=halsonav&")
        );
        let url = filled("postgres://a@b/c?connect_timeout=1&application_name=x");
        let times = |key| url.expose_secret().matches(key).count();
        assert_eq!(
            (times("connect_timeout"), times("application_name")),
            (1, 1)
        );
        assert_eq!(times("tcp_user_timeout"), 1);
    }

    #[test]
    fn the_password_is_not_in_what_is_shown_or_told() {
        let url = "postgres://halso:hemlig%21t@host/db";
        let server = server(url);
        assert!(!format!("{:?}", Place::Postgres(server.clone())).contains("hemlig"));
        for message in [
            format!("cannot read \"{url}\""),
            "token \"hemlig%21t\"".to_owned(),
            "host \"hemlig!t\"".to_owned(),
        ] {
            assert!(!server.told(&message).to_string().contains("hemlig"));
        }
        let plain = "connection to server at \"host\" failed";
        assert!(server.told(plain).to_string().contains(plain));
    }

    #[test]
    fn a_password_that_libpq_would_take_for_a_host_is_refused() {
        for url in [
            "postgres://halso:hem@lig@host/db",
            "postgres://halso:hem/lig@host/db",
        ] {
            let error = server(url).filled().expect_err("refused").to_string();
            assert!(!error.contains("lig@"), "{error}");
        }
        let inside = server("postgres://host/db?password=hemligt");
        assert!(!inside.told("bad hemligt").to_string().contains("hemligt"));
    }
}
