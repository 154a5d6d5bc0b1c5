//! X.509-SVIDs: who a verified peer is, and what certificates say nothing of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod handshake;
mod world;

use hallpass::clock::ManualClock;
use hallpass::identity::Kind;
use hallpass::prelude::*;
use hallpass_identity::{Revocations, SvidReader};
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, KeyUsagePurpose, SanType};

use crate::world::{PAYER, at, certificate, params, uri};

const TRUST_DOMAIN: &str = "acme.test";

/// Within the certificates of these tests.
const NOW: i64 = 1_795_900_100;

fn read(change: impl FnOnce(&mut CertificateParams)) -> Result<String, String> {
    let reader = SvidReader::new(TRUST_DOMAIN).unwrap();
    let svid = reader.read(&certificate(change), at(NOW));
    svid.map(|svid| svid.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_peer_is_whom_its_certificate_names_for_as_long_as_it_is_good() {
    let svid = SvidReader::new(TRUST_DOMAIN).unwrap().read(&certificate(|_| {}), at(NOW)).unwrap();
    assert_eq!((svid.id().as_str(), svid.expires()), (PAYER, at(world::ENDS)));
    let clock = ManualClock::new(at(NOW));
    let policy = Policy::builder().rule(Rule::permit("p").tool("pay").any_args()).build().unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let payer = broker.assert_identity(svid.assertion(Kind::Workload)).unwrap();
    let open = || broker.open(&payer, Purpose::new("paying"));
    assert!(open().is_ok());
    clock.set_wall(at(world::ENDS));
    assert_eq!(open().unwrap_err().reason(), Reason::IdentityExpired);
}

/// What a certificate has to be, by the standard of X.509-SVIDs; each of these fails at the check that is meant.
#[test]
fn certificates_that_are_no_svid_of_the_trust_domain_are_refused() {
    assert_eq!(read(|_| {}), Ok(PAYER.to_owned()));
    let named =
        |names: Vec<SanType>| move |own: &mut CertificateParams| own.subject_alt_names = names;
    let usages = |usages: &'static [KeyUsagePurpose]| {
        move |own: &mut CertificateParams| own.key_usages = usages.to_vec()
    };
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};
    let dns = || SanType::DnsName("payer.acme.test".try_into().unwrap());
    let cases: Vec<(Result<String, String>, &str)> = vec![
        (read(named(vec![])), "0 names that are URIs"),
        (read(named(vec![dns()])), "0 names that are URIs"),
        (read(named(vec![uri(PAYER), uri("spiffe://acme.test/teller")])), "2 names that are URIs"),
        (read(named(vec![uri(PAYER), uri("https://acme.test/payer")])), "2 names that are URIs"),
        (read(named(vec![uri("https://acme.test/payer")])), "not a SPIFFE ID"),
        (read(named(vec![uri("spiffe://acme.test/../payer")])), "not a SPIFFE ID"),
        (read(named(vec![uri("spiffe://acme.test:443/payer")])), "not a SPIFFE ID"),
        (read(named(vec![uri("SPIFFE://acme.test/payer")])), "not a SPIFFE ID"),
        (read(named(vec![uri("spiffe://acme.test")])), "no workload"),
        (read(named(vec![uri("spiffe://acme.test.evil.test/payer")])), "another trust domain"),
        (read(|own| own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), "an authority's"),
        (read(usages(&[])), "not for signatures"),
        (read(usages(&[KeyEncipherment])), "not for signatures"),
        (read(usages(&[DigitalSignature, KeyCertSign])), "for certificates, too"),
        (read(usages(&[DigitalSignature, CrlSign])), "for certificates, too"),
    ];
    for (at, (read, why)) in cases.into_iter().enumerate() {
        let error = read.expect_err(why);
        assert!(error.contains(why), "{at}: {error}, expected {why}");
    }
    // Other names next to the one are no matter.
    assert_eq!(read(named(vec![dns(), uri(PAYER)])), Ok(PAYER.to_owned()));
    assert_eq!(read(|own| own.is_ca = IsCa::ExplicitNoCa), Ok(PAYER.to_owned()));
}

#[test]
fn an_extension_that_is_there_twice_is_refused() {
    // Of two, one who verifies may look at the first and one who reads at the second.
    for (number, content) in [
        (&[2, 5, 29, 15][..], vec![3, 2, 7, 0x80]),
        (&[2, 5, 29, 19], vec![0x30, 0]),
        (&[2, 5, 29, 17], vec![0x30, 0]),
    ] {
        let twice = |own: &mut CertificateParams| {
            for _ in 0..2 {
                own.custom_extensions.push(CustomExtension::from_oid_content(
                    &number.iter().map(|own| *own as u64).collect::<Vec<_>>(),
                    content.clone(),
                ));
            }
        };
        assert!(read(twice).unwrap_err().contains("twice"), "{number:?}");
    }
}

#[test]
fn a_certificate_is_good_from_its_first_second_to_before_its_last() {
    let reader = SvidReader::new(TRUST_DOMAIN).unwrap();
    let own = certificate(|_| {});
    for (now, why) in [
        (world::BEGINS - 1, Some("not good yet")),
        (world::BEGINS, None),
        (world::ENDS - 1, None),
        (world::ENDS, Some("expired")),
    ] {
        let read = reader.read(&own, at(now)).map_err(|error| error.to_string());
        match why {
            None => assert!(read.is_ok(), "{now}: {read:?}"),
            Some(why) => assert!(read.unwrap_err().contains(why), "{now}"),
        }
    }
    // Far away, times have four digits of a year.
    let far = certificate(|own| own.not_after = rcgen::date_time_ymd(2150, 1, 1));
    assert!(reader.read(&far, at(NOW)).is_ok());
}

#[test]
fn what_was_issued_before_its_subject_was_revoked_is_refused() {
    let revoked = Revocations::new();
    let reader = SvidReader::new(TRUST_DOMAIN).unwrap().revoked_by(&revoked);
    let own = certificate(|_| {});
    assert!(revoked.revoke(PAYER, at(world::BEGINS - 1)));
    assert!(reader.read(&own, at(NOW)).is_ok(), "it was issued afterwards");
    assert!(revoked.revoke(PAYER, at(world::BEGINS)));
    assert!(reader.read(&own, at(NOW)).unwrap_err().to_string().contains("revoked"));
}

#[test]
fn what_is_no_certificate_is_refused_and_nothing_panics() {
    let reader = SvidReader::new(TRUST_DOMAIN).unwrap();
    let own = certificate(|_| {});
    for length in 0..own.len() {
        assert!(reader.read(&own[..length], at(NOW)).is_err(), "{length}");
    }
    assert!(reader.read(&[&own[..], &[0]].concat(), at(NOW)).is_err());
    for place in 0..own.len() {
        for bit in [0x01, 0x80] {
            let mut other = own.clone();
            other[place] ^= bit;
            // Of a key, a signature or a serial number nothing is read here.
            if let Ok(svid) = reader.read(&other, at(NOW)) {
                assert_eq!(svid.id().trust_domain(), TRUST_DOMAIN);
            }
        }
    }
    assert!(reader.read(&vec![0x30; 20_000], at(NOW)).unwrap_err().to_string().contains("bytes"));
    for none in ["", "ACME.test", "acme.test/payer", "acme test"] {
        assert!(SvidReader::new(none).is_err(), "{none}");
    }
    let _ = params();
}
