//! What a fleet is, from a file.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallpass::fleet::Mark;
use hallpass::key::SecretKey;
use hallpass_postgres::PostgresStore;
use serde::Deserialize;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::store_tls::StoreTls;
use super::wire::{Wire, WrittenWire};

use crate::key_file::read_secret;

/// What a fleet's file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    tenant: String,
    node: Option<String>,
    /// PostgreSQL, as `libpq` is told it.
    store: String,
    password_file: Option<PathBuf>,
    /// The authorities of the server's certificate: it is reached over TLS then.
    store_ca_file: Option<PathBuf>,
    #[serde(default)]
    standby: bool,
    key_file: PathBuf,
    lease_milliseconds: Option<u64>,
    drift_percent: Option<u32>,
    past: Option<String>,
    /// The name in an operator's certificate: operators are not nodes.
    operator: Option<String>,
    wire: Option<WrittenWire>,
}

/// A fleet: its name, its secret, and where its store is.
pub(super) struct FleetFile {
    pub(super) name: String,
    /// The node that this process is to be, where that is said.
    pub(super) node: Option<String>,
    pub(super) secret: SecretKey,
    pub(super) store: PostgresStore,
    pub(super) lease: Duration,
    pub(super) drift: u32,
    pub(super) past: Option<Mark>,
    pub(super) operator: Option<String>,
    pub(super) wire: Option<Wire>,
}

/// The name in the records and tokens of a node that other nodes ask; nothing of one that none asks.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn issuer(path: &Path) -> Result<Option<String>, String> {
    let written = written(path)?;
    let node = written.node.as_deref().filter(|_| written.wire.is_some());
    Ok(node.map(|node| format!("{}/{node}", written.name)))
}

fn written(path: &Path) -> Result<Written, String> {
    let named = |problem: String| format!("{}: {problem}", path.display());
    let text =
        fs::read_to_string(path).map_err(|error| named(format!("can't be read: {error}")))?;
    toml::from_str(&text).map_err(|error| named(error.to_string()))
}

impl FleetFile {
    /// Reads the file of a fleet, and begins to connect to its store. Paths in it are looked for from its folder.
    ///
    /// # Errors
    /// What is wrong, and with which file.
    pub(super) fn read(path: &Path) -> Result<FleetFile, String> {
        let named = |problem: String| format!("{}: {problem}", path.display());
        let written = written(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let secret = read_secret(&folder.join(&written.key_file))?;
        let config = written.config(folder).map_err(named)?;
        let lease = Duration::from_millis(written.lease_milliseconds.unwrap_or(2000));
        let past = written.past.as_deref().map(mark).transpose().map_err(named)?;
        // As long as a lease: what takes longer is of no use to a node.
        let store = PostgresStore::builder(config, &written.tenant, &written.name).within(lease);
        let store = match &written.store_ca_file {
            Some(authorities) => store.tls(StoreTls::trusting(&folder.join(authorities))?),
            None => store,
        };
        let store = if written.standby { store.with_standby() } else { store };
        let store = store.open().map_err(|error| named(error.to_string()))?;
        let drift = written.drift_percent.unwrap_or(10);
        let Written { name, node, operator, wire, .. } = written;
        let own = node.as_deref().or(operator.as_deref()).unwrap_or("operator");
        let wire = wire.map(|wire| wire.prepare(folder, own)).transpose().map_err(named)?;
        Ok(FleetFile { name, node, secret, store, lease, drift, past, operator, wire })
    }
}

impl Written {
    fn config(&self, folder: &Path) -> Result<Config, String> {
        let parsed = self.store.parse();
        let mut config: Config = parsed.map_err(|error| format!("`store`: {error}"))?;
        if config.get_password().is_some() {
            return Err("`store` has a password, expected a file of it: `password_file`".to_owned());
        }
        if let Some(path) = &self.password_file {
            let path = folder.join(path);
            let password = fs::read_to_string(&path)
                .map_err(|error| format!("{}: can't be read: {error}", path.display()))?;
            config.password(password.trim_end_matches(['\r', '\n']));
        }
        let is_here = |host: &Host| match host {
            Host::Tcp(name) => name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
            #[cfg(unix)]
            Host::Unix(_) => true,
        };
        let are_addresses_here = config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        let is_all_here = !config.get_hosts().is_empty()
            && config.get_hosts().iter().all(is_here)
            && are_addresses_here;
        if !is_all_here && self.store_ca_file.is_none() {
            return Err("`store` has to name a socket, as `host=/run/postgresql`, or an address of the loopback; a \
                        server of another machine is reached over TLS, expected `store_ca_file`: the authorities of \
                        its certificate"
                .to_owned());
        }
        Ok(config)
    }
}

/// A place in a mark, as it is told: its number, a colon and its digest.
fn mark(text: &str) -> Result<Mark, String> {
    let expected = || "`past`: expected a number, `:` and 64 hexadecimal digits".to_owned();
    let (number, digits) = text.split_once(':').ok_or_else(expected)?;
    let number = number.parse().map_err(|_| expected())?;
    let is_hex = digits.len() == 64 && digits.bytes().all(|own| own.is_ascii_hexdigit());
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|_| is_hex).ok_or_else(expected)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| expected())?;
    }
    if is_hex { Ok(Mark { number, digest }) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_is_told() {
        let own = Mark { number: 7, digest: [0xab; 32] };
        assert_eq!(mark(&own.to_string()), Ok(own));
        for bad in [
            "",
            "7",
            "7:",
            "7:ab",
            &format!("x:{}", "ab".repeat(32)),
            &format!("7:{}g", "a".repeat(63)),
        ] {
            assert!(mark(bad).is_err(), "{bad}");
        }
    }
}
