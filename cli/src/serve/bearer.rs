//! Who may ask: those who know a secret of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use subtle::{Choice, ConstantTimeEq};

/// The fewest characters of a secret.
const FEWEST: usize = 32;

/// The most bytes of a file with secrets.
const MOST: u64 = 64 * 1024;

/// The secrets of a file, of which each opens the door: several, so that one can follow another.
pub(super) struct Bearers(Vec<Box<str>>);

impl Bearers {
    /// Reads a file with a secret in each line.
    ///
    /// # Errors
    /// What is wrong, and with which file; never a secret.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let named = |problem: &str| {
            format!(
                "{}: {problem}; make a secret with `head -c 32 /dev/urandom | basenc --base64url`",
                path.display()
            )
        };
        let mut text = String::new();
        let opened =
            File::open(path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
        opened.map_err(|error| named(&format!("can't be read: {error}")))?;
        Bearers::of(&text).map_err(|problem| named(&problem))
    }

    fn of(text: &str) -> Result<Self, String> {
        // What is cut off would leave secrets out, and make one of what a longer one begins with.
        if text.len() as u64 > MOST {
            return Err(format!("it has more than {MOST} bytes"));
        }
        let secrets = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let secrets = secrets.map(|(at, line)| match line.trim() {
            secret if secret.len() < FEWEST => {
                Err(format!("line {} is shorter than {FEWEST} characters", at + 1))
            }
            secret if !secret.bytes().all(is_of_token) => {
                Err(format!("line {} has characters that no bearer token may have", at + 1))
            }
            secret => Ok(Box::from(secret)),
        });
        let secrets: Vec<Box<str>> = secrets.collect::<Result<_, _>>()?;
        if secrets.is_empty() {
            Err("there is no secret in it".to_owned())
        } else {
            Ok(Bearers(secrets))
        }
    }

    /// Whether the value of `authorization` has one of the secrets. How long that takes says no more than their lengths.
    pub(super) fn accept(&self, header: &[u8]) -> bool {
        let Some((scheme, given)) = header.split_at_checked(7) else { return false };
        let given = given.trim_ascii();
        let own = self.0.iter().map(|own| own.as_bytes().ct_eq(given));
        let is_known = own.fold(Choice::from(0), |found, is_this| found | is_this);
        scheme.eq_ignore_ascii_case(b"bearer ") && is_known.into()
    }
}

/// The characters of a `b64token` (RFC 6750).
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn each_secret_of_a_file_is_accepted_and_nothing_else_is() {
        let bearers = Bearers::of(&format!("{ONE}\n\n{}\n", ONE.to_uppercase())).unwrap();
        assert!(bearers.accept(format!("Bearer {ONE}").as_bytes()));
        assert!(bearers.accept(format!("bearer  {}", ONE.to_uppercase()).as_bytes()));
        for wrong in [
            String::new(),
            "Bearer ".to_owned(),
            ONE.to_owned(),
            format!("Basic  {ONE}"),
            format!("Bearer {}", &ONE[..31]),
            format!("Bearer {ONE}0"),
            format!("Bearer {ONE} {ONE}"),
        ] {
            assert!(!bearers.accept(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_file_without_secrets_or_with_weak_ones_is_refused() {
        let long = format!("{ONE}\n").repeat(MOST as usize / 33 + 1);
        for (text, told) in [
            (&*long, "more than 65536 bytes"),
            ("", "no secret"),
            ("\n \n", "no secret"),
            ("short", "line 1 is shorter"),
            (&format!("{ONE}\n{} {}", &ONE[..16], &ONE[..16]), "line 2 has characters"),
        ] {
            let Err(why) = Bearers::of(text) else { panic!("{text}") };
            assert!(why.contains(told) && !why.contains(&ONE[..16]), "{why}");
        }
    }
}
