//! What `--help` says.

use crate::stand_in::{Said, ctl};

#[test]
fn every_command_explains_itself() {
    let mut all = String::new();
    for arguments in [
        &["--help"][..],
        &["list", "--help"],
        &["pause", "--help"],
        &["resume", "--help"],
        &["trigger", "--help"],
        &["history", "--help"],
        &["alert", "--help"],
        &["alert", "test", "--help"],
        &["watch", "--help"],
    ] {
        let said = Said::of(&mut ctl(arguments));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
        all += &format!("$ actor-server ctl {}\n{}\n", arguments.join(" "), said.out);
    }
    insta::assert_snapshot!(all);
}
