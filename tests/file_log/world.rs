//! A broker with a log on file, and a folder that goes with the test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass::BrokerBuilder;
use hallpass::audit::{Durability, FileLog, FileLogOptions, OpenError, Origin, WhenFull};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::scope::max;
use serde_json::json;

pub(crate) const ORIGIN: Origin<'static> = Origin::new("acme", "payments");

const POLICY: &str = r#"
    version = 1

    [[rule]]
    id     = "payers-pay-bills"
    effect = "permit"
    who    = { id = { prefix = "agent-" } }
    what   = { tool = "bank.pay", args = { amount = { max = 500 } } }
"#;

/// A folder that is removed with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let own = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("hallpass-file-log-{own}"));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

pub(crate) fn options(durability: Durability) -> FileLogOptions {
    FileLog::options(durability, WhenFull::Owe)
}

pub(crate) fn open(folder: &Path, durability: Durability) -> Result<Broker, OpenError> {
    let log = options(durability).rotate_at(16 << 10).open(folder, &keys(), &ORIGIN)?;
    Ok(builder().log_keys(keys()).resume_from(&log).build().unwrap())
}

/// A broker of this world, without its log.
pub(crate) fn builder() -> BrokerBuilder {
    builder_of(Policy::from_toml(POLICY).unwrap())
}

pub(crate) fn builder_of(policy: Policy) -> BrokerBuilder {
    Broker::builder(policy).issuer("acme").audience("payments")
}

/// Permits one call, and returns it with its task.
pub(crate) fn pay(broker: &Broker) -> (Task, Permit) {
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("pay-bill")).unwrap();
    let scope = Scope::tool("bank.pay").arg("amount", max(500));
    let grant = task.request(scope, &Context::new()).unwrap();
    let call = Call::new("bank.pay", json!({ "amount": 98 })).unwrap();
    let permit = broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap();
    (task, permit)
}
