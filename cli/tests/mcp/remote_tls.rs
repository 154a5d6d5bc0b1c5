//! A server over TLS, which is the command itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use crate::READING;
use crate::http_client::SECRET;
use crate::world::Folder;
use crate::world::gated::{Gated, outcomes, scripted_server, with_handshake};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

struct Listening(Child, String);

impl Listening {
    /// With a certificate for a name.
    fn new(folder: &Folder, name: &str, by: &CertifiedIssuer<'static, KeyPair>) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        folder.write("cert.pem", params.signed_by(&key, by).unwrap().pem());
        folder.write("key.pem", key.serialize_pem());
        folder.write("bearer", SECRET);
        folder.write("p.toml", READING);
        folder.write("script.json", with_handshake(json!({}), "2025-11-25").to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        let who = ["mcp", "--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"];
        let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--bearer-file", "bearer"];
        command.args(who).args(["--listen", "127.0.0.1:0"]).args(tls).arg("--");
        command.arg(scripted_server()).args(["script.json", "notes"]);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        assert!(url.starts_with("https://"));
        Listening(child, url)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_is_asked_that_shows_a_certificate_of_its_name_and_of_the_authority_that_was_said() {
    let (trusted, other) = (authority(), authority());
    for (name, by, is_trusted) in [
        ("127.0.0.1", &trusted, true),
        ("127.0.0.1", &other, false),
        ("127.0.0.2", &trusted, false),
        ("mcp.acme.test", &trusted, false),
    ] {
        let (folder, own) = (Folder::new(), Folder::new());
        let listening = Listening::new(&folder, name, by);
        own.write("ca.pem", trusted.pem());
        own.write("token", SECRET);
        let options = ["--server-ca", "ca.pem", "--server-bearer-file", "token"];
        let mut gated = Gated::remote(own, READING, &options, &listening.1);
        let result = gated.shake_hands("2025-11-25");
        if !is_trusted {
            assert_eq!(result["message"], "the server can't be reached", "{name}");
            gated.end().assert_nothing_stands();
            continue;
        }
        assert_eq!(result["protocolVersion"], "2025-11-25", "{result}");
        assert_eq!(gated.call("fs.note", json!({})), json!({}));
        let denied = gated.call("fs.erase", json!({}));
        assert_eq!(denied["isError"], true, "{denied}");
        assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["ok"]);
        assert!(folder.read("notes").contains("fs.note"));
    }
}
