//! `docs/tonic.md`: its program is the example, and its client is answered as the page says, but for the port.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The blocks of the page in a language, without their indentation.
fn blocks(language: &str) -> Vec<String> {
    let page = read("docs/tonic.md");
    let mut parts = page.split("   ```");
    parts.next();
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (own, text) = block.split_once('\n').unwrap();
        let lines = text.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
        if own == language {
            blocks.push(lines.collect::<Vec<_>>().join("\n"));
        }
    }
    blocks
}

#[test]
fn the_page_has_the_program_of_the_example() {
    let program = read("adapters/tonic/examples/payments.rs");
    let (_, program) = program.split_once("\n\n").unwrap();
    let program = program.trim_end();
    let included = r#"include!("../tests/generated/payments.v1.rs")"#;
    let kept = r#"include_bytes!("../tests/generated/payments.bin")"#;
    assert!(program.contains(included) && program.contains(kept));
    let program = program
        .replace(included, r#"tonic::include_proto!("payments.v1")"#)
        .replace(kept, r#"tonic::include_file_descriptor_set!("payments")"#);
    assert_eq!(blocks("rs")[1], program);
    let proto = read("adapters/tonic/tests/proto/payments.proto");
    assert_eq!(blocks("proto"), [proto.trim_end()]);
}

/// Needs Python with `grpcio`, which `HALLPASS_GRPC_PYTHON` says where to find, and the example built.
#[test]
#[ignore = "needs Python with grpcio"]
fn the_client_of_the_page_is_answered_as_it_says() {
    let python = std::env::var("HALLPASS_GRPC_PYTHON").expect("HALLPASS_GRPC_PYTHON is set");
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("payments.toml"), &blocks("toml")[0]).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let service = target.join("debug/examples/payments");
    let mut service = Command::new(service).current_dir(&folder).spawn().unwrap();
    // The client waits until the service is up.
    let client = blocks("py")[0]
        .replace("metadata=CALLER)[2:]", "metadata=CALLER, wait_for_ready=True, timeout=30)[2:]");
    let ran = Command::new(python).args(["-c", &client]).output().unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim_end(), blocks("text")[0], "{ran:?}");
}
