//! The kernel's keyring and a real Secret Service.

use super::{needs, private, ssh_key, within_keyrings};
use crate::env::TestEnv;
use crate::terminal::typed_to;
use std::os::unix::net::UnixListener;

/// A workspace with a secret, whose reader's key is at `~/key` and not where it is looked for.
fn with_secret() -> TestEnv {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    std::fs::rename(env.identity(), env.home().join("key")).expect("moved");
    env
}

#[test]
fn an_unlocked_identity_lasts_into_other_sessions_and_is_forgotten() {
    let env = with_secret();
    let said = within_keyrings(
        &env,
        r#"set -e
"$pillarbox" identity unlock ~/key --for 8h
"$pillarbox" reveal api.pw; echo
"$pillarbox" identity unlock ~/key --for 8h 2>/dev/null && echo again
keyctl session - "$pillarbox" reveal api.pw; echo
key=$(keyctl search $(keyctl get_persistent @s) user pillarbox:identity/default)
keyctl rdescribe $key
cat /proc/keys
"$pillarbox" identity forget
"$pillarbox" identity forget
"$pillarbox" reveal api.pw || echo "exit $?"
"#,
    )
    .ok();
    let said = said
        .explains("unlocked")
        .explains("for 8h")
        .explains("gone at a reboot")
        .explains("forgot the private key in the kernel's keyring")
        .explains("no private key was in the kernel's keyring")
        .explains("the kernel's keyring holds none")
        .lacks("AGE-SECRET-KEY");
    // Three openings, the last one in vain; only the possessor of the keyring may read it.
    assert_eq!(said.stdout().matches("s3cret").count(), 2, "{}", said.stdout());
    let said = said.says("again").says("user;0;0;3f000000;pillarbox:identity/default").says("exit 10");
    let row = said.stdout().lines().find(|line| line.contains("pillarbox:identity")).expect("a row");
    let listed = said.stdout().lines().find(|line| line.contains("user ") && line.contains("pillarbox:iden"));
    let time = listed.unwrap_or(row).split_whitespace().nth(3).expect("its time");
    assert!(["8h", "7h", "479m"].contains(&time), "{time}");
}

#[test]
fn what_was_unlocked_runs_out() {
    let env = with_secret();
    within_keyrings(
        &env,
        r#"set -e
"$pillarbox" identity unlock ~/key --for 1s
"$pillarbox" reveal api.pw; echo
sleep 2
"$pillarbox" reveal api.pw || echo "exit $?"
"$pillarbox" identity unlock ~/key --for 1h
"$pillarbox" reveal api.pw
"#,
    )
    .ok()
    .says("s3cret\nexit 10\ns3cret")
    .explains("the kernel's keyring holds none");
}

#[test]
fn another_identity_is_never_overwritten() {
    let env = with_secret();
    let other = env.run(&["identity", "new", "../other"]).ok().stdout().trim().to_owned();
    within_keyrings(
        &env,
        r#"set -e
"$pillarbox" identity unlock ~/key
"$pillarbox" identity unlock ~/other || echo "exit $?"
"$pillarbox" identity public --all
keyctl add user pillarbox:identity/default rubbish $(keyctl get_persistent @s) >/dev/null
"$pillarbox" reveal api.pw || echo "exit $?"
"$pillarbox" identity unlock ~/key || echo "exit $?"
"#,
    )
    .ok()
    .says("exit 1\nage1")
    .says("exit 10\nexit 1")
    .explains("another private key is unlocked already")
    .explains("pillarbox identity forget")
    .explains("holds something that is no identity file")
    .lacks(&other)
    .lacks("rubbish");
}

#[test]
fn a_passphrase_is_typed_once_for_many_commands() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    let (path, public) = ssh_key(&env, "id_ed25519", "pass-CANARY", &["-t", "ed25519"]);
    env.run(&["reader", "add", "bob", &public]).ok();
    std::fs::remove_file(env.identity()).expect("gone");
    let script = format!(
        "exec unshare -Ur keyctl session - sh -c '\"{0}\" identity unlock \"{path}\" && \
         \"{0}\" reveal api.pw </dev/null && keyctl session - \"{0}\" --identity \"{path}\" reveal api.pw </dev/null'",
        env!("CARGO_BIN_EXE_pillarbox")
    );
    let mut env = env;
    env.set_var("PILLARBOX_NO_KEYRING", "0");
    let (code, said) = typed_to(&env, &script, &[("passphrase of", "pass-CANARY")]);
    assert!(code == 0 && said.matches("s3cret").count() == 2, "{said}");
    assert!(said.matches("passphrase of").count() == 1, "{said}");
    assert!(!said.contains("CANARY") && !said.contains("PRIVATE KEY"), "{said}");
}

#[test]
fn without_a_desktop_a_store_is_a_cache_and_the_file_stays() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    within_keyrings(
        &env,
        r#"set -e
"$pillarbox" identity store --keyring
test -f ~/.config/pillarbox/identity.txt && mv ~/.config/pillarbox/identity.txt ~/away
"$pillarbox" reveal api.pw
"#,
    )
    .ok()
    .says("s3cret")
    .explains("this is a cache and no store")
    .explains("the only copy that lasts");
}

/// Runs a script of sh with a session bus and an unlocked Secret Service of its own.
fn within_desktop(env: &TestEnv, script: &str) -> crate::env::Output {
    needs("dbus-run-session", "dbus-daemon");
    needs("gnome-keyring-daemon", "gnome-keyring");
    needs("secret-tool", "libsecret-tools");
    let script = format!(
        "printf login | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n{script}"
    );
    let path = private(
        env,
        "desktop.sh",
        format!("pillarbox='{}'\n{script}", env!("CARGO_BIN_EXE_pillarbox")).as_bytes(),
    );
    within_keyrings(env, &format!("exec dbus-run-session -- sh '{}'", path.display()))
}

/// Locks what is stored, as the end of a session does.
const LOCK: &str = "dbus-send --session --dest=org.freedesktop.secrets --print-reply /org/freedesktop/secrets \
    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null";

#[test]
fn a_desktop_keeps_the_identity_and_is_never_asked_to_unlock_by_itself() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    let said = within_desktop(
        &env,
        &format!(
            r#"set -e
"$pillarbox" identity store --keyring
"$pillarbox" identity store --keyring
mv ~/.config/pillarbox/identity.txt ~/away
"$pillarbox" reveal api.pw; echo
secret-tool lookup service pillarbox username identity/default | grep -c AGE-SECRET-KEY-1
"$pillarbox" identity unlock
{LOCK}
"$pillarbox" -q reveal api.pw; echo " (from the kernel's)"
"$pillarbox" identity forget
"$pillarbox" reveal api.pw || echo "exit $?"
"#
        ),
    )
    .ok();
    said.says("s3cret\n1\n")
        .says("s3cret (from the kernel's)\nexit 10")
        .explains("is in Secret Service, too; the file is as it was")
        .explains("is in Secret Service already")
        .explains("unlocked the key in Secret Service for 8h")
        .explains("Secret Service is locked, and was not asked")
        .explains("unlock it: pillarbox identity unlock")
        .lacks("AGE-SECRET-KEY");
}

#[test]
fn what_a_desktop_keeps_is_removed_on_request_and_never_overwritten() {
    let env = TestEnv::initialised();
    env.run(&["identity", "new", "../other"]).ok();
    within_desktop(
        &env,
        r#"set -e
"$pillarbox" identity store --keyring
"$pillarbox" --identity ~/other identity store --keyring || echo "exit $?"
"$pillarbox" identity forget --keyring
"$pillarbox" --identity ~/other identity store --keyring
rm ~/.config/pillarbox/identity.txt
"$pillarbox" identity public
"$pillarbox" identity forget --keyring
"$pillarbox" identity public || echo "exit $?"
"#,
    )
    .ok()
    .says("exit 1\nage1")
    .says("exit 10")
    .explains("another private key is in Secret Service already")
    .explains("removed the private key from Secret Service")
    .explains("Secret Service holds none");
}

#[test]
fn a_bus_that_hangs_or_is_away_costs_seconds_and_no_command() {
    let env = with_secret();
    let socket = env.runtime().join("hangs");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let script = format!(
        r#"export DBUS_SESSION_BUS_ADDRESS=unix:path={0}
"$pillarbox" reveal api.pw || echo "exit $?"
export DBUS_SESSION_BUS_ADDRESS=unix:path={0}.away
"$pillarbox" reveal api.pw || echo "exit $?"
"$pillarbox" --identity ~/key reveal api.pw
"#,
        socket.display()
    );
    within_keyrings(&env, &script)
        .ok()
        .says("exit 10\nexit 10\ns3cret")
        .explains("Secret Service cannot be used: it did not answer within 3 s")
        .explains("Secret Service cannot be used: zbus error: Failed to connect");
}

#[test]
fn the_credential_helper_uses_what_was_unlocked_and_asks_nothing() {
    let env = TestEnv::initialised();
    env.run_with_input(&["registry", "add", "r.example.com", "-u", "bot", "--password-stdin"], "t0ken").ok();
    let script = format!(
        r#"set -e
export PILLARBOX_WORKSPACE=$PWD
helper='{}'
"$pillarbox" identity store --keyring
mv ~/.config/pillarbox/identity.txt ~/away
echo r.example.com | "$helper" get || echo "exit $?"
"$pillarbox" identity unlock
echo r.example.com | "$helper" get
"#,
        env!("CARGO_BIN_EXE_docker-credential-pillarbox")
    );
    within_desktop(&env, &script)
        .ok()
        .says("exit 1")
        .says("t0ken")
        .explains("unlocked the key in Secret Service")
        .lacks("AGE-SECRET-KEY");
}
