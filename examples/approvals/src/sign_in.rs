//! Who is signed in. A stand-in: it believes every name of its directory. A host puts its own sign-in here, and
//! attests who it has found somebody to be.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::identity::Identity;
use ring::rand::{SecureRandom as _, SystemRandom};

/// The people who can sign in, by the name they give.
#[derive(Debug, Default)]
pub struct Directory(HashMap<String, Identity>);

impl Directory {
    /// No one.
    pub fn new() -> Self {
        Directory::default()
    }

    /// And this person.
    pub fn with(mut self, name: &str, who: Identity) -> Self {
        self.0.insert(name.to_owned(), who);
        self
    }
}

/// Somebody with an open session.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) who: Identity,
    /// What each form of this session has to bring.
    pub(crate) csrf: String,
}

pub(crate) struct Sessions {
    directory: Directory,
    open: Mutex<HashMap<String, SignedIn>>,
}

impl Sessions {
    pub(crate) fn new(directory: Directory) -> Self {
        Sessions { directory, open: Mutex::default() }
    }

    /// Opens a session: the cookie that it is known by.
    pub(crate) fn open(&self, name: &str) -> Option<String> {
        let who = self.directory.0.get(name)?.clone();
        let (id, csrf) = (random()?, random()?);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(id.clone(), SignedIn { who, csrf });
        Some(format!("session={id}; HttpOnly; SameSite=Strict; Path=/"))
    }

    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
        let id = cookies.split(';').find_map(|own| own.trim().strip_prefix("session="))?;
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(id).cloned()
    }
}

fn random() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}
