//! What is asked of any server: its version, who a role is, how a name stands in a statement.

use std::net::IpAddr;

use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, Error};

/// The first version whose roles these statements are for.
const OLDEST: i32 = 150_000;

/// From here on a membership says whether rights are inherited and whether the role can be set.
const SAYS_INHERIT: i32 = 160_000;

/// Which of the two ways to grant a membership the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Whether rights are inherited is the member's own, and it can set the role.
    Fifteen,
    /// Each membership says.
    Sixteen,
}

impl Version {
    pub(crate) async fn of(client: &Client) -> Result<Version, String> {
        let row = client.query_one("SELECT current_setting('server_version_num')::int", &[]).await;
        Version::numbered(row.and_then(|row| row.try_get(0)).map_err(|error| told(&error))?)
    }

    fn numbered(number: i32) -> Result<Version, String> {
        match number {
            ..OLDEST => {
                Err(format!("the server's version is {number}, expected {OLDEST} or later"))
            }
            OLDEST..SAYS_INHERIT => Ok(Version::Fifteen),
            SAYS_INHERIT.. => Ok(Version::Sixteen),
        }
    }

    /// What the membership of a role in its group ends in, and that of the broker in a role.
    pub(crate) fn membership(self) -> &'static str {
        match self {
            Version::Fifteen => "",
            Version::Sixteen => " WITH INHERIT TRUE, SET FALSE",
        }
    }

    /// Whether a role inherits what it is a member of.
    pub(crate) fn inherits(self) -> &'static str {
        match self {
            Version::Fifteen => "INHERIT",
            Version::Sixteen => "NOINHERIT",
        }
    }
}

/// Whether every server that a configuration names is reached without a network: a socket, or an address of the loopback. A name,
/// `localhost` too, resolves to what the machine's configuration says.
pub(crate) fn is_here(config: &Config) -> bool {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let is_host_here = |host: &Host| match host {
        Host::Tcp(name) => name.parse().is_ok_and(|ip: IpAddr| is_loopback(&ip)),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    // An address says where a host is reached.
    match addresses.is_empty() {
        true => hosts.iter().all(is_host_here),
        false => addresses.iter().all(is_loopback),
    }
}

fn is_loopback(ip: &IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// A name as a statement has it. Those of roles are the broker's, of `a-z 0-9 _`; groups and databases are the host's.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The number of a role, if it is there.
pub(crate) async fn oid_of(client: &Client, name: &str) -> Result<Option<u32>, Error> {
    let row = client.query_opt("SELECT oid FROM pg_roles WHERE rolname = $1", &[&name]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// The number of a role as a handle has it.
pub(crate) fn oid_in(detail: &str) -> Option<u32> {
    detail.strip_prefix("oid=")?.parse().ok()
}

/// An error in words: what the server says, without what it was asked.
pub(crate) fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(own) => format!("{} ({})", own.message(), own.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_here_that_is_reached_without_a_network() {
        let here = |text: &str| is_here(&text.parse().unwrap());
        for own in [
            "host=/run/postgresql",
            "host=127.0.0.1",
            "host=::1",
            "host=::ffff:127.0.0.1",
            "host=127.0.0.1,/tmp",
            "host=db.acme.test hostaddr=127.0.0.1",
        ] {
            assert!(here(own), "{own}");
        }
        for other in [
            "host=db.acme.test",
            "host=localhost",
            "host=10.0.0.1",
            "host=/run/postgresql,db.acme.test",
            "host=127.0.0.1 hostaddr=10.0.0.1",
            "host=127.0.0.1,127.0.0.1 hostaddr=127.0.0.1,10.0.0.1",
        ] {
            assert!(!here(other), "{other}");
        }
    }

    #[test]
    fn a_server_that_is_older_than_the_statements_is_refused() {
        for old in [0, 90_624, 140_023, 149_999] {
            assert!(Version::numbered(old).is_err(), "{old}");
        }
        for (number, version) in [
            (150_000, Version::Fifteen),
            (159_999, Version::Fifteen),
            (160_000, Version::Sixteen),
            (180_004, Version::Sixteen),
        ] {
            assert_eq!(Version::numbered(number), Ok(version));
        }
    }

    #[test]
    fn a_name_can_not_end_its_quotes() {
        assert_eq!(quoted("hp_reader"), "\"hp_reader\"");
        assert_eq!(quoted("a\" SUPERUSER --"), "\"a\"\" SUPERUSER --\"");
    }

    #[test]
    fn the_number_of_a_role_is_read_from_its_handle_alone() {
        assert_eq!(oid_in("oid=16401"), Some(16401));
        for detail in ["", "16401", "oid=", "oid=-1", "oid=1;DROP", "oid=99999999999"] {
            assert_eq!(oid_in(detail), None, "{detail}");
        }
    }
}
