//! X.509-SVIDs of peers that TLS has verified.

use std::collections::BTreeSet;
use std::fmt;

use hallpass::clock::Timestamp;
use hallpass::identity::{Assertion, Kind, SpiffeId, SpiffeIdError};

use crate::der::{
    BIT_STRING, BOOLEAN, Elements, GENERALIZED_TIME, INTEGER, OBJECT_ID, OCTET_STRING, SEQUENCE,
    UTC_TIME, boolean, only,
};
use crate::revocations::Revocations;
use crate::verifier::VerifierError;

/// The most bytes of a certificate.
const LONGEST: usize = 16 * 1024;

/// The numbers of extensions, as they are written: of names, of what the key may be used for, and of authorities.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

/// The tag of a name that is a URI.
const URI: u8 = 0x86;

/// Says who a peer is, by the certificate that TLS has verified: an X.509-SVID of one SPIFFE trust domain.
///
/// **It verifies no signature.** That a peer holds the key of its certificate, and that an authority of the trust domain has signed that, is
/// what a handshake with client certificates shows; a certificate that comes otherwise, as in a header, proves no identity.
///
/// ```
/// use hallpass::clock::Timestamp;
/// use hallpass::identity::Kind;
/// use hallpass::prelude::*;
/// use hallpass_identity::SvidReader;
///
/// # fn run(broker: &Broker, peer: &[u8], now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
/// let reader = SvidReader::new("acme.test")?;
/// // For each connection: the first of `ServerConnection::peer_certificates`, once the handshake is done.
/// let svid = reader.read(peer, now)?;
/// let caller = broker.assert_identity(svid.assertion(Kind::Workload))?;
/// # let _ = caller;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SvidReader {
    trust_domain: Box<str>,
    revocations: Option<Revocations>,
}

/// Who a verified peer is, and until when its certificate says so. Only a [`SvidReader`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509Svid {
    id: SpiffeId,
    expires: Timestamp,
}

/// Why a peer's certificate says nothing of who it is: for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate {0}")]
pub struct SvidError(#[from] Unfit);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Unfit {
    #[error("has more than {LONGEST} bytes")]
    TooLong,
    #[error("can't be read: its {0}")]
    Unreadable(&'static str),
    #[error("has an extension twice")]
    Twice,
    #[error("is an authority's, and no workload's")]
    Authority,
    #[error("has a key that is not for signatures, or is for certificates, too")]
    Usage,
    #[error("has {0} names that are URIs, expected one")]
    Names(usize),
    #[error("has a name that is not a SPIFFE ID: {0}")]
    Name(SpiffeIdError),
    #[error("names a trust domain, and no workload of it")]
    NoWorkload,
    #[error("is of another trust domain")]
    TrustDomain,
    #[error("is not good yet")]
    Early,
    #[error("has expired")]
    Expired,
    #[error("was issued before its subject was revoked")]
    Revoked,
}

impl SvidReader {
    /// For the peers of one trust domain.
    ///
    /// # Errors
    /// [`VerifierError`] of what is not a trust domain.
    pub fn new(trust_domain: &str) -> Result<Self, VerifierError> {
        let id = SpiffeId::parse(&format!("spiffe://{trust_domain}"));
        match id {
            Ok(id) if id.trust_domain() == trust_domain => {
                Ok(SvidReader { trust_domain: trust_domain.into(), revocations: None })
            }
            _ => Err(VerifierError::new(&format!("`{trust_domain}` is not a trust domain"))),
        }
    }

    /// Refuses certificates that are good since a time before their subject was revoked.
    #[must_use]
    pub fn revoked_by(mut self, revocations: &Revocations) -> Self {
        self.revocations = Some(revocations.clone());
        self
    }

    /// Says who the peer is whose certificate this is, in DER, at this time, which is the broker's.
    ///
    /// # Errors
    /// [`SvidError`], for operators.
    pub fn read(&self, certificate: &[u8], now: Timestamp) -> Result<X509Svid, SvidError> {
        Ok(self.svid(certificate, now)?)
    }

    fn svid(&self, certificate: &[u8], now: Timestamp) -> Result<X509Svid, Unfit> {
        if certificate.len() > LONGEST {
            return Err(Unfit::TooLong);
        }
        let body = Body::of(certificate)?;
        if body.is_authority()? {
            return Err(Unfit::Authority);
        }
        body.check_usage()?;
        let id = SpiffeId::parse(body.name()?).map_err(Unfit::Name)?;
        if id.trust_domain() != &*self.trust_domain {
            return Err(Unfit::TrustDomain);
        }
        if id.path().is_empty() {
            return Err(Unfit::NoWorkload);
        }
        if now < body.begins {
            return Err(Unfit::Early);
        }
        // `notAfter` is the last second that it is good for. Here its first instant is the end: an identity never outlives
        // its evidence.
        if now >= body.expires {
            return Err(Unfit::Expired);
        }
        if let Some(revocations) = &self.revocations {
            let check = revocations.check(id.as_str(), Some(body.begins));
            check.map_err(|_| Unfit::Revoked)?;
        }
        Ok(X509Svid { id, expires: body.expires })
    }
}

impl X509Svid {
    /// Who the peer is.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// When its certificate expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// What a host states of the peer, whose id is the SPIFFE ID: good until the certificate expires, and no longer.
    pub fn assertion(&self, kind: Kind) -> Assertion {
        let id = self.id.as_str();
        let stated = match kind {
            Kind::Agent => Assertion::agent(id),
            Kind::Workload => Assertion::workload(id),
            Kind::Human => Assertion::human(id),
        };
        stated.until(self.expires)
    }
}

/// What of a certificate is looked at.
struct Body<'c> {
    begins: Timestamp,
    expires: Timestamp,
    names: Option<&'c [u8]>,
    usage: Option<&'c [u8]>,
    constraints: Option<&'c [u8]>,
}

impl<'c> Body<'c> {
    fn of(certificate: &'c [u8]) -> Result<Self, Unfit> {
        let unreadable = Unfit::Unreadable;
        let whole = only(certificate, SEQUENCE).ok_or(unreadable("outermost part"))?;
        let mut whole = Elements::of(whole);
        let body = whole.expect(SEQUENCE).ok_or(unreadable("body"))?;
        let signed = whole.expect(SEQUENCE).and_then(|_| whole.expect(BIT_STRING));
        if signed.is_none() || !whole.is_over() {
            return Err(unreadable("signature"));
        }
        let mut body = Elements::of(body);
        // Version 3, without which there are no extensions.
        let version = body.expect(0xa0).and_then(|version| only(version, INTEGER));
        if version != Some(&[2]) {
            return Err(unreadable("version"));
        }
        let serial = body.expect(INTEGER);
        let (algorithm, issuer) = (body.expect(SEQUENCE), body.expect(SEQUENCE));
        let validity = body.expect(SEQUENCE);
        let (subject, key) = (body.expect(SEQUENCE), body.expect(SEQUENCE));
        let Some((((_, _), (_, validity)), (_, _))) =
            serial.zip(algorithm).zip(issuer.zip(validity)).zip(subject.zip(key))
        else {
            return Err(unreadable("body"));
        };
        let mut validity = Elements::of(validity);
        let times = time(&mut validity).zip(time(&mut validity));
        let (begins, expires) =
            times.filter(|_| validity.is_over()).ok_or(unreadable("validity"))?;
        // Unique ids, of which no one makes use.
        let _ = (body.optional(0x81), body.optional(0x82));
        let extensions = body.expect(0xa3).and_then(|own| only(own, SEQUENCE));
        let extensions = extensions.filter(|_| body.is_over()).ok_or(unreadable("extensions"))?;
        let mut read = Body { begins, expires, names: None, usage: None, constraints: None };
        read.extend(extensions)?;
        Ok(read)
    }

    fn extend(&mut self, extensions: &'c [u8]) -> Result<(), Unfit> {
        let mut known = BTreeSet::new();
        let mut extensions = Elements::of(extensions);
        while !extensions.is_over() {
            let unreadable = Unfit::Unreadable("extensions");
            let one = extensions.expect(SEQUENCE).ok_or(unreadable.clone())?;
            let mut one = Elements::of(one);
            let number = one.expect(OBJECT_ID).ok_or(unreadable.clone())?;
            // False is what is left out.
            if one.optional(BOOLEAN).is_some_and(|critical| boolean(critical) != Some(true)) {
                return Err(unreadable);
            }
            let content = one.expect(OCTET_STRING).filter(|_| one.is_over());
            let content = content.ok_or(unreadable)?;
            if !known.insert(number) {
                return Err(Unfit::Twice);
            }
            match number {
                ALTERNATIVE_NAMES => self.names = Some(content),
                KEY_USAGE => self.usage = Some(content),
                BASIC_CONSTRAINTS => self.constraints = Some(content),
                // What is critical of the others is the business of who has verified it.
                _ => {}
            }
        }
        Ok(())
    }

    fn is_authority(&self) -> Result<bool, Unfit> {
        let Some(constraints) = self.constraints else { return Ok(false) };
        let unreadable = Unfit::Unreadable("basic constraints");
        let content = only(constraints, SEQUENCE).ok_or(unreadable.clone())?;
        let mut content = Elements::of(content);
        match content.optional(BOOLEAN) {
            Some(is_authority) => boolean(is_authority).ok_or(unreadable),
            None if content.is_over() => Ok(false),
            None => Err(unreadable),
        }
    }

    /// The key has to be for signatures, and not for those of certificates and revocations.
    fn check_usage(&self) -> Result<(), Unfit> {
        const SIGNATURES: u8 = 0b1000_0000;
        const OF_AUTHORITIES: u8 = 0b0000_0110;
        let bits = self.usage.and_then(|usage| only(usage, BIT_STRING)).ok_or(Unfit::Usage)?;
        match bits {
            [0..=7, first, ..] if first & SIGNATURES != 0 && first & OF_AUTHORITIES == 0 => Ok(()),
            _ => Err(Unfit::Usage),
        }
    }

    /// The one name that is a URI.
    fn name(&self) -> Result<&'c str, Unfit> {
        let unreadable = Unfit::Unreadable("names");
        let names = self.names.map(|names| only(names, SEQUENCE).ok_or(unreadable.clone()));
        let mut names = Elements::of(names.transpose()?.unwrap_or_default());
        let mut uris = Vec::new();
        while !names.is_over() {
            let name = names.next().ok_or(unreadable.clone())?;
            if name.tag == URI {
                uris.push(name.content);
            }
        }
        let [uri] = uris[..] else { return Err(Unfit::Names(uris.len())) };
        std::str::from_utf8(uri).map_err(|_| unreadable)
    }
}

/// A time, to the second and in UTC, as RFC 5280 has it.
fn time(elements: &mut Elements<'_>) -> Option<Timestamp> {
    let element = elements.next()?;
    let digits = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = match (element.tag, digits.len()) {
        // Two digits of a year are of this century up to 49.
        (UTC_TIME, 12) if digits < "5" => format!("20{digits}"),
        (UTC_TIME, 12) => format!("19{digits}"),
        (GENERALIZED_TIME, 14) => digits.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| digits.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    Timestamp::parse_rfc3339(&text).ok()
}

impl fmt::Display for X509Svid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id.as_str())
    }
}
