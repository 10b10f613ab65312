//! Private keys wherever they lie: ssh keys, files behind a passphrase, keyrings. With the real
//! `ssh-keygen`, `age`, kernel and Secret Service.

mod keyrings;
mod passphrases;
mod ssh;

use crate::env::{Output, TestEnv};
use std::path::PathBuf;
use std::process::Command;

/// A program that these tests need, and that `scripts/testbed needs` installs.
pub(crate) fn needs(program: &str, package: &str) {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    assert!(
        found.is_ok_and(|found| found.status.success()),
        "{program} is missing: apt-get install {package}"
    );
}

/// An ssh key in `~/.ssh`, as `ssh-keygen` makes it: the file, and the public line.
fn ssh_key(env: &TestEnv, name: &str, passphrase: &str, options: &[&str]) -> (String, String) {
    needs("ssh-keygen", "openssh-client");
    let folder = env.home().join(".ssh");
    std::fs::create_dir_all(&folder).expect("~/.ssh");
    let path = folder.join(name).to_str().expect("a path").to_owned();
    let comment = format!("{name}@laptop");
    let arguments = ["-q", "-C", &comment, "-N", passphrase, "-f", &path];
    env.program("ssh-keygen", &[&arguments[..], options].concat()).run().ok();
    let public = std::fs::read_to_string(format!("{path}.pub")).expect("the public half");
    (path, public.trim().to_owned())
}

/// The two words of a public line that are the key.
fn without_comment(public: &str) -> String {
    public.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A file of the home folder that only its owner reads.
fn private(env: &TestEnv, name: &str, bytes: &[u8]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = env.home().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(&path, bytes).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    path
}

/// Runs a script of sh with keyrings of the kernel of its own: those of a user namespace.
/// `$pillarbox` is the binary, and keyrings may be looked into.
fn within_keyrings(env: &TestEnv, script: &str) -> Output {
    needs("unshare", "util-linux");
    needs("keyctl", "keyutils");
    let script = format!("pillarbox='{}'\n{script}", env!("CARGO_BIN_EXE_pillarbox"));
    // A session keyring of its own as well.
    env.program("unshare", &["-Ur", "keyctl", "session", "-", "sh", "-c", &script])
        .var("PILLARBOX_NO_KEYRING", "0")
        .run()
}
