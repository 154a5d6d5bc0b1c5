//! What is asked of which authorization server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::credential::{Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn};
use hallpass::identity::Identity;
use zeroize::Zeroizing;

use crate::client::{ClientError, Posted, Reply};
use crate::form;
use crate::parties::{ACCESS_TOKEN, Parties, SubjectToken};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// How long minting may take, unless the host says so.
const WITHIN: Duration = Duration::from_secs(10);

type PartiesOf = dyn Fn(&Identity) -> Result<Parties, String> + Send + Sync;

/// What is asked of which authorization server, for one credential of the catalogue. Cloning shares it.
#[derive(Clone)]
pub struct Exchange {
    settings: Arc<Settings>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    endpoint: String,
    /// How long the server's tokens live at the longest.
    pub(crate) life: Duration,
    within: Duration,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) scopes: Vec<Box<str>>,
    pub(crate) opaque: bool,
    parties: Arc<PartiesOf>,
}

/// Why an exchange is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Tokens would cross a network in the clear.
    #[error(
        "the endpoint `{0}` is not one, expected `https://…`, or `http://127.0.0.1:…` in tests"
    )]
    Endpoint(Box<str>),
    /// A token that lives for no time, or for more than a day.
    #[error(
        "tokens that live for {0:?} can't be minted for a grant, expected one second to one day"
    )]
    Life(Duration),
}

impl Exchange {
    /// At this token endpoint, whose tokens live for `life` at the longest: longer ones are refused.
    ///
    /// # Errors
    /// [`ExchangeError`] of an endpoint without TLS, and of a life below a second or above a day.
    pub fn new(endpoint: &str, life: Duration) -> Result<Exchange, ExchangeError> {
        let is_here =
            ["http://127.0.0.1:", "http://[::1]:"].iter().any(|own| endpoint.starts_with(own));
        if !(endpoint.starts_with("https://") || is_here)
            || !endpoint.bytes().all(|own| own.is_ascii_graphic())
        {
            return Err(ExchangeError::Endpoint(endpoint.escape_default().to_string().into()));
        }
        if life < Duration::from_secs(1) || life > Duration::from_secs(24 * 60 * 60) {
            return Err(ExchangeError::Life(life));
        }
        let settings = Settings {
            endpoint: endpoint.to_owned(),
            life,
            within: WITHIN,
            audiences: Vec::new(),
            scopes: Vec::new(),
            opaque: false,
            parties: Arc::new(|_| {
                Err("nothing says who the parties are, expected `parties`".to_owned())
            }),
        };
        Ok(Exchange { settings: Arc::new(settings) })
    }

    fn change(self, how: impl FnOnce(&mut Settings)) -> Exchange {
        let mut settings = Settings::clone(&self.settings);
        how(&mut settings);
        Exchange { settings: Arc::new(settings) }
    }

    /// Whom tokens are for: required, and may be said several times.
    #[must_use]
    pub fn audience(self, audience: &str) -> Exchange {
        self.change(|own| own.audiences.push(audience.into()))
    }

    /// What tokens are good for there: required, and may be said several times.
    #[must_use]
    pub fn scope(self, scope: &str) -> Exchange {
        self.change(|own| own.scopes.push(scope.into()))
    }

    /// How long minting may take. Ten seconds, unless this is said.
    #[must_use]
    pub fn within(self, time: Duration) -> Exchange {
        self.change(|own| own.within = time)
    }

    /// Tokens can't be read: who they are for is what the server makes of the parties.
    #[must_use]
    pub fn opaque(self) -> Exchange {
        self.change(|own| own.opaque = true)
    }

    /// Where the tokens of the parties come from. Called with the holder of a grant whenever one is minted; the tokens are wiped
    /// after that. What it gives in words is recorded: without secrets.
    #[must_use]
    pub fn parties(
        self,
        parties: impl Fn(&Identity) -> Result<Parties, String> + Send + Sync + 'static,
    ) -> Exchange {
        self.change(|own| own.parties = Arc::new(parties))
    }

    /// No withdrawal; the life that the host has said, and the time in which a token may be issued.
    pub(crate) fn guarantees(&self) -> Guarantees {
        Guarantees::never().shortest_life(self.settings.life.saturating_add(self.settings.within))
    }

    pub(crate) fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        let Settings { audiences, scopes, within, .. } = &*self.settings;
        // Without either a token would be good for whatever its subject is.
        if audiences.is_empty() || scopes.is_empty() {
            return Err(Refused::new("no audience or no scope is said, expected both"));
        }
        // A scope is a word: what stands next to it is another.
        if scopes
            .iter()
            .any(|own| own.is_empty() || !own.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(Refused::new("a scope is not a word of visible ASCII"));
        }
        let (asked, until) = (want.now(), want.expires());
        Ok(want.plan(*within).detail(&format!("asked={asked} until={until}")))
    }

    /// The form that asks for a token.
    pub(crate) fn ask(&self, plan: &Plan) -> Result<Posted, MintError> {
        let settings = &*self.settings;
        let Parties { subject, actor } =
            (settings.parties)(plan.holder()).map_err(MintError::not_minted)?;
        let mut body = Zeroizing::new(String::new());
        form::add(&mut body, "grant_type", GRANT_TYPE);
        form::add(&mut body, "requested_token_type", ACCESS_TOKEN);
        settings.audiences.iter().for_each(|own| form::add(&mut body, "audience", own));
        form::add(&mut body, "scope", &settings.scopes.join(" "));
        let mut add = |name: &str, token: &SubjectToken| {
            let text = token.secret.expose_text();
            let text =
                text.ok_or_else(|| MintError::not_minted(format!("the {name} is not text")))?;
            form::add(&mut body, name, text);
            form::add(&mut body, &format!("{name}_type"), &token.kind);
            Ok(())
        };
        add("subject_token", &subject)?;
        if let Some(actor) = &actor {
            add("actor_token", actor)?;
        }
        Ok(Posted { endpoint: settings.endpoint.clone(), body })
    }

    /// What became of it.
    pub(crate) fn minted(
        &self,
        plan: &Plan,
        answered: Result<Reply, ClientError>,
    ) -> Result<Minted, MintError> {
        let reply = answered.map_err(|error| match error {
            ClientError::NotSent(_) => MintError::not_minted(error),
            ClientError::NoAnswer(_) => MintError::unknown(error),
        })?;
        let asked = time_in(plan.handle(), "asked=");
        let asked =
            asked.ok_or_else(|| MintError::unknown("the plan does not say when it was made"))?;
        let issued = self.settings.read(&reply, plan, asked)?;
        let detail = format!("asked={asked} until={}", issued.expires);
        Ok(Minted::new(plan, issued.token, issued.expires).detail(&detail))
    }

    /// Nothing takes it back.
    pub(crate) fn withdraw(&self, handle: &Handle) -> Withdrawn {
        const WHY: &str = "token exchange has no withdrawal";
        match time_in(handle, "until=") {
            Some(until) => Withdrawn::impossible(until, WHY),
            None => Withdrawn::retry(Duration::ZERO, "its handle does not say when it expires"),
        }
    }
}

/// A time that a handle says.
fn time_in(handle: &Handle, name: &str) -> Option<Timestamp> {
    let said = handle.detail().split(' ').find_map(|part| part.strip_prefix(name))?;
    Timestamp::parse_rfc3339(said).ok()
}

/// Shows what is asked for.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("endpoint", &self.settings.endpoint)
            .field("audiences", &self.settings.audiences)
            .field("scopes", &self.settings.scopes)
            .finish_non_exhaustive()
    }
}
