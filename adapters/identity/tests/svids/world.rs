//! An authority of the trust domain, and what it issues.

use hallpass::clock::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType,
    date_time_ymd,
};

pub(crate) const PAYER: &str = "spiffe://acme.test/agent/payer";

/// From the first of November 2026 to the first of December.
pub(crate) const BEGINS: i64 = 1_793_491_200;
pub(crate) const ENDS: i64 = 1_796_083_200;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1000).unwrap()
}

pub(crate) fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Of a workload, as the standard has it.
pub(crate) fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) =
        (date_time_ymd(2026, 11, 1), date_time_ymd(2026, 12, 1));
    params.subject_alt_names = vec![uri(PAYER)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

/// A certificate with this changed.
pub(crate) fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = params();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, &authority()).unwrap().der().to_vec()
}
