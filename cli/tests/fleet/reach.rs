//! How commands reach a fleet's store and its nodes.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::postgres::Postgres;
use crate::world::{Folder, hallpass};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const POLICY: &str = r#"
version = 1
[[rule]]
id = "read"
effect = "permit"
what = { tool = "read", args = "any" }
"#;

/// An authority as PEM, and a certificate of its for this name with its key.
fn issued(name: &str) -> [String; 3] {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new([name.to_owned()]).unwrap();
    let own = own.signed_by(&key, &authority).unwrap();
    [authority.pem(), own.pem(), key.serialize_pem()]
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn file(store: &str, rest: &str) -> String {
    format!(
        "name = \"shop\"\ntenant = \"acme\"\nkey_file = \"fleet.key\"\nstore = \"{store} user=hallpass_node dbname=postgres\"\n{rest}"
    )
}

#[test]
#[ignore = "needs a server of PostgreSQL"]
fn a_server_is_reached_over_tls_by_who_trusts_its_authority_and_by_no_one_else() {
    let [authority, certificate, key] = issued("db.acme.test");
    let port = free_port();
    let settings = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file=own.pem -c ssl_key_file=own.key"
    );
    let files = [("own.pem", &*certificate), ("own.key", &*key)];
    let postgres = Postgres::start_with(&files, &settings);
    postgres.make_fleet_at(port);
    let folder = Folder::new();
    folder.write("fleet.key", KEY);
    folder.write("ca.pem", authority);
    folder.write("other.pem", &issued("db.acme.test")[0]);
    // As on another machine: a name, which the certificate has.
    let there = |host: &str| format!("host={host} hostaddr=127.0.0.1 port={port}");
    for (host, trusts, expected) in [
        ("db.acme.test", "ca.pem", 0),
        ("db.acme.test", "other.pem", 2),
        ("db2.acme.test", "ca.pem", 2),
    ] {
        folder.write("fleet.toml", file(&there(host), &format!("store_ca_file = \"{trusts}\"\n")));
        let ran = hallpass(&["fleet", "status", "--fleet", "fleet.toml"], folder.path());
        assert_eq!(ran.code, expected, "{host} {trusts}: {ran:?}");
    }
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs a server of PostgreSQL"]
fn what_stands_at_all_nodes_is_told_and_who_is_not_heard() {
    let postgres = Postgres::start();
    postgres.make_fleet();
    let folder = Folder::new();
    folder.write("fleet.key", KEY);
    folder.write("bearer", KEY);
    folder.write("policy.toml", POLICY);
    let store = format!("host={}", postgres.folder.display());
    let wire =
        |n: &str| format!("[wire]\nlisten = \"unix:{}/{n}.sock\"\n", folder.path().display());
    let nodes: Vec<Ended> = ["n1", "n2"]
        .map(|n| {
            // The second answers no other.
            let wire = if n == "n1" { wire(n) } else { String::new() };
            folder.write(&format!("{n}.toml"), file(&store, &format!("node = \"{n}\"\n{wire}")));
            let listen = format!("127.0.0.1:{}", free_port());
            let child = Command::new(env!("CARGO_BIN_EXE_hallpass"))
                .args([
                    "serve",
                    "--policy",
                    "policy.toml",
                    "--purpose",
                    "orders",
                    "--bearer-file",
                    "bearer",
                ])
                .args(["--listen", &listen, "--fleet", &format!("{n}.toml")])
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn();
            Ended(child.unwrap())
        })
        .into();
    folder.write("ops.toml", file(&store, &wire("ops")));
    let status = || hallpass(&["fleet", "status", "--fleet", "ops.toml"], folder.path());
    for _ in 0..600 {
        if status().output.matches(": live").count() == 2 {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    for what in ["standing", "reviews", "obligations"] {
        let ran = hallpass(&["fleet", what, "--fleet", "ops.toml"], folder.path());
        assert_eq!((ran.code, &*ran.output), (1, "n1: nothing\nn2: not heard\n"), "{ran:?}");
    }
    let ran = hallpass(&["fleet", "standing", "--json", "--fleet", "ops.toml"], folder.path());
    assert!(
        ran.output.starts_with(r#"{"nodes":{"n1":{"#)
            && ran.output.ends_with("\"not_heard\":[\"n2\"]}\n"),
        "{ran:?}"
    );
    drop(nodes);
}
