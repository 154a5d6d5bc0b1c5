//! A service outside that mints credentials and keeps them on file, so that they outlive the broker that had them minted.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use hallpass::credential::{
    CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
};
use hallpass::vault::Secret;
use std::time::Duration;

/// Appends to its file what it mints and what it takes back.
pub(crate) struct Outside(PathBuf);

impl Outside {
    pub(crate) fn on(file: &Path) -> Self {
        Outside(file.to_owned())
    }

    fn note(&self, what: &str, name: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        file.write_all(format!("{what} {name}\n").as_bytes()).unwrap();
    }

    fn named(&self, what: &str) -> BTreeSet<String> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let names = text.lines().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
        names.map(str::to_owned).collect()
    }

    /// All that was ever minted.
    pub(crate) fn minted(&self) -> BTreeSet<String> {
        self.named("minted")
    }

    /// What still works.
    pub(crate) fn live(&self) -> BTreeSet<String> {
        self.minted().difference(&self.named("withdrawn")).cloned().collect()
    }
}

impl CredentialProvider for Outside {
    fn name(&self) -> &'static str {
        "outside"
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::immediate()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        Ok(want.plan(Duration::from_secs(5)))
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let name = plan.handle().name();
        self.note("minted", name);
        let secret = Secret::new(format!("secret-of-{name}")).map_err(MintError::unknown)?;
        Ok(Minted::new(plan, secret, plan.expires()))
    }

    fn withdraw(&self, handle: &Handle, _: Option<&Secret>) -> Withdrawn {
        match self.live().contains(handle.name()) {
            true => {
                self.note("withdrawn", handle.name());
                Withdrawn::Done
            }
            false => Withdrawn::Already,
        }
    }

    fn verify(&self, handle: &Handle) -> Gone {
        match self.live().contains(handle.name()) {
            true => Gone::still("it is there"),
            false => Gone::Gone,
        }
    }
}
