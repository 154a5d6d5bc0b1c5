//! What has to be in order before an agent is started.

use crate::CODING;
use crate::world::{Folder, hallpass};

#[test]
fn what_is_not_in_order_is_told_before_the_agent_is_started() {
    let folder = Folder::new();
    let limited = CODING.replace("id = \"write\"", "id = \"write\"\n    grant = { uses = 3 }");
    for (name, content) in
        [("p.toml", CODING), ("limited.toml", &limited), ("bad.toml", "version = 9")]
    {
        folder.write(name, content);
    }
    let who = ["--as", "agent-7", "--purpose", "errand"];
    let agent = ["--", "touch", "started"];
    for (options, told) in [
        (&["--policy", "none.toml"][..], "none.toml"),
        (&["--policy", "bad.toml"], "bad.toml"),
        (&["--policy", "limited.toml"], "say `--log FOLDER --key-file FILE`"),
        (&["--policy", "p.toml", "--context", "now=1"], "context"),
    ] {
        let words = [&["acp"], options, &who, &agent].concat();
        let ran = hallpass(&words, folder.path());
        assert!(ran.code == 2 && ran.errors.contains(told), "{options:?}: {ran:?}");
        assert!(!folder.path().join("started").exists(), "{options:?}");
    }
    let ran =
        hallpass(&["acp", "--policy", "p.toml", "--as", "a", "--purpose", "p"], folder.path());
    assert!(ran.code == 2 && ran.errors.contains("AGENT"), "{ran:?}");
}
