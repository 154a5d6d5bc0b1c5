//! What `generated` has is what the generator makes of `proto`; `HALLPASS_WRITE=1` makes it anew.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use prost::Message;

#[test]
fn what_is_generated_is_what_the_generator_makes() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for name in ["bank", "payments"] {
        let files = protox::compile([format!("{name}.proto")], [here.join("proto")]).unwrap();
        let made = folder();
        tonic_prost_build::configure().out_dir(&made).compile_fds(files.clone()).unwrap();
        let program = format!("{name}.v1.rs");
        let text = std::fs::read(made.join(&program)).unwrap();
        std::fs::remove_dir_all(&made).unwrap();
        for (name, new) in [(program, text), (format!("{name}.bin"), files.encode_to_vec())] {
            let kept = here.join("generated").join(&name);
            if std::env::var_os("HALLPASS_WRITE").is_some() {
                std::fs::write(&kept, &new).unwrap();
            }
            assert!(std::fs::read(&kept).unwrap() == new, "{name} is not what is generated");
        }
    }
}

fn folder() -> std::path::PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bank-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
