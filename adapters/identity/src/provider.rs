//! Verifying with `ring`, for `jsonwebtoken`.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use signature::VerificationAlgorithm;

/// Verifies, and does nothing else: what is not needed here fails instead of panicking.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_: &Algorithm, _: &EncodingKey| -> Result<Box<dyn JwtSigner>, Error> {
        Err(ErrorKind::UnsupportedAlgorithm.into())
    },
    verifier_factory: |algorithm, key| {
        Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
    },
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(ErrorKind::UnsupportedAlgorithm.into()),
        rsa_pub_components_from_public_key: |_| Err(ErrorKind::UnsupportedAlgorithm.into()),
        ec_pub_components_from_private_key: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        ed_pub_components_from_private_key: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        compute_digest: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
};

/// Sees to it that there is a provider: verifying panics without. One that the host has installed stays.
pub(crate) fn install() {
    if CryptoProvider::try_get_default().is_none() {
        // Another thread may have been first.
        let _ = RING.install_default();
    }
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl ::signature::Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), ::signature::Error> {
        let bad = |_| ::signature::Error::new();
        let of_bytes = |algorithm: &'static dyn VerificationAlgorithm| {
            let key = self.key.try_get_as_bytes().map_err(|_| ::signature::Error::new())?;
            UnparsedPublicKey::new(algorithm, key).verify(message, tag).map_err(bad)
        };
        let of_rsa = |parameters: &'static RsaParameters| match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, tag).map_err(bad)
            }
            DecodingKeyKind::SecretOrDer(_) => Err(::signature::Error::new()),
        };
        match self.algorithm {
            Algorithm::EdDSA => of_bytes(&signature::ED25519),
            Algorithm::ES256 => of_bytes(&signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => of_bytes(&signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::RS256 => of_rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => of_rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => of_rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => of_rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => of_rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => of_rsa(&signature::RSA_PSS_2048_8192_SHA512),
            // Who can verify these can make them.
            _ => Err(::signature::Error::new()),
        }
    }
}
