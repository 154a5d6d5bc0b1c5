//! Making a role, in one transaction: what is sent as one message is.

use hallpass::clock::Timestamp;
use hallpass::credential::{MintError, Minted, Plan};
use hallpass::vault::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use tokio_postgres::Client;
use zeroize::Zeroizing;

use crate::provider::Inner;
use crate::server::{Version, oid_of, quoted, told};

impl Inner {
    pub(crate) async fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        match tokio::time::timeout(plan.within(), self.mint_role(plan)).await {
            Ok(minted) => minted,
            Err(_) => Err(MintError::unknown("the server did not answer in time")),
        }
    }

    async fn mint_role(&self, plan: &Plan) -> Result<Minted, MintError> {
        let client = self.connect(&self.config).await;
        let client = client.map_err(|error| MintError::not_minted(told(&error)))?;
        let version = Version::of(&client).await.map_err(MintError::not_minted)?;
        let password = password()?;
        let statements = self.statements(version, plan, &password);
        // All or nothing; whether the last answer was lost, only the server knows.
        if let Err(error) = client.batch_execute(&statements).await {
            return Err(match error.as_db_error() {
                // It was shut down: perhaps after the transaction.
                Some(own) if own.code().code().starts_with("57") => {
                    MintError::unknown(told(&error))
                }
                Some(_) => MintError::not_minted(told(&error)),
                None => MintError::unknown(told(&error)),
            });
        }
        let oid = self.oid(&client, plan.handle().name()).await?;
        let secret = Secret::new(password.as_bytes()).map_err(MintError::unknown)?;
        Ok(Minted::new(plan, secret, plan.expires()).detail(&format!("oid={oid}")))
    }

    async fn oid(&self, client: &Client, name: &str) -> Result<u32, MintError> {
        let oid = oid_of(client, name).await.map_err(|error| MintError::unknown(told(&error)))?;
        oid.ok_or_else(|| MintError::unknown("the role is not there after it was made"))
    }

    fn statements(&self, version: Version, plan: &Plan, password: &str) -> String {
        let role = quoted(plan.handle().name());
        let (inherits, with) = (version.inherits(), version.membership());
        let (verifier, until) = (verifier(password), at(plan.expires()));
        let connections = self.connections;
        let groups = self.groups.iter().map(|group| {
            let group = quoted(group);
            format!("GRANT {group} TO {role}{with};\n")
        });
        // The broker has to be a member of what it is to end.
        format!(
            "CREATE ROLE {role} LOGIN {inherits} NOCREATEDB NOCREATEROLE CONNECTION LIMIT {connections} \
             VALID UNTIL '{until}' PASSWORD '{verifier}';\n{}GRANT {role} TO CURRENT_USER{with};",
            groups.collect::<String>()
        )
    }
}

/// A password of 192 random bits.
fn password() -> Result<Zeroizing<String>, MintError> {
    let mut bytes = Zeroizing::new([0; 24]);
    let filled = SystemRandom::new().fill(bytes.as_mut_slice());
    filled.map_err(|_| MintError::not_minted("the system gave no random bytes"))?;
    let mut text = Zeroizing::new(String::with_capacity(48));
    for byte in bytes.iter() {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    Ok(text)
}

/// What the server checks the password by. The password itself never gets there, and so stands in no log of its
/// statements.
fn verifier(password: &str) -> String {
    postgres_protocol::password::scram_sha_256(password.as_bytes())
}

fn at(time: Timestamp) -> String {
    time.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_stands_in_quotes_and_tells_nothing_of_the_password() {
        let password = password().unwrap();
        let verifier = verifier(&password);
        assert!(verifier.starts_with("SCRAM-SHA-256$4096:"), "{verifier}");
        assert!(!verifier.contains(&**password) && !verifier.contains(['\'', '\\']));
        assert_eq!(password.len(), 48);
    }
}
