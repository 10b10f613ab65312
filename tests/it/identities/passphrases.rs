//! age identity files behind a passphrase.

use super::{private, within_keyrings};
use crate::env::{TestEnv, has_program, mode};
use crate::terminal::{typed, typed_to};

#[test]
fn a_new_identity_with_a_passphrase_is_asked_for_and_plain_age_opens_it() {
    let env = TestEnv::new();
    env.run(&["identity", "new", "--passphrase"]).exits(9).explains("there is no terminal");
    assert!(!env.identity().exists());
    let both = [("new passphrase: ", "pass-CANARY"), ("new passphrase again", "pass-CANARY")];
    let (code, said) = typed(&env, "identity new --passphrase", &both);
    assert!(code == 0 && said.contains("age1") && !said.contains("CANARY"), "{said}");
    assert_eq!(mode(&env.identity()), 0o600);
    let text = std::fs::read_to_string(env.identity()).expect("armour");
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{text}");
    let (code, said) = typed(&env, "identity new --passphrase", &[]);
    assert!(code == 1 && said.contains("is there already"), "{said}");

    let prompt = format!("passphrase of {}", env.identity().display());
    let own = (prompt.as_str(), "pass-CANARY");
    let (code, said) = typed(&env, "init --no-git", &[own]);
    assert!(code == 0, "{said}");
    // Posting needs no private key, and so no passphrase; nor does what is known of the box already.
    let (code, said) =
        typed(&env, "seal --in apps api.pw", &[("secret: ", "s3cret"), ("secret again: ", "s3cret")]);
    assert!(code == 0 && !said.contains("passphrase"), "{said}");
    env.run(&["show", "apps"]).ok();
    env.run(&["reveal", "api.pw"])
        .exits(10)
        .explains("is protected by a passphrase, and there is no terminal to ask for it on")
        .explains("pillarbox identity unlock")
        .lacks("pillarbox identity new")
        .lacks("s3cret");
    env.run(&["doctor", "--offline"])
        .ok()
        .says("fix: pillarbox identity unlock")
        .lacks("fix: pillarbox identity new");
    // Once for a run, however many boxes there are.
    let (code, said) = typed(&env, "box new prod --readers alice", &[own]);
    assert!(code == 0 && said.matches("passphrase of").count() == 1, "{said}");
    let (code, said) = typed(&env, "verify --require-open", &[own]);
    assert!(code == 0 && said.matches("passphrase of").count() == 1, "{said}");

    if has_program("age") {
        let decrypt = format!("age -d -o '{0}/plain' '{1}'", env.home().display(), env.identity().display());
        let (code, said) = typed_to(&env, &decrypt, &[("Enter passphrase", "pass-CANARY")]);
        let plain = std::fs::read_to_string(env.home().join("plain")).unwrap_or_default();
        assert!(code == 0 && plain.contains("AGE-SECRET-KEY-1"), "{said}");
    }
}

#[test]
fn files_that_the_age_program_protects_open_whether_armoured_or_not() {
    if !has_program("age") {
        return;
    }
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    for options in ["", "-a"] {
        let path = env.home().join(format!("protected{options}"));
        let protect = format!("age -p {options} -o '{}' '{}'", path.display(), env.identity().display());
        let twice = [("Enter passphrase", "pass-CANARY"), ("Confirm", "pass-CANARY")];
        let (code, said) = typed_to(&env, &protect, &twice);
        assert!(code == 0, "{said}");
        private(&env, &format!("protected{options}"), &std::fs::read(&path).expect("written"));
    }
    std::fs::remove_file(env.identity()).expect("gone");
    for name in ["protected", "protected-a"] {
        let path = env.home().join(name);
        let prompt = format!("({})", path.display());
        let reveal = format!("--identity '{}' reveal api.pw", path.display());
        let passphrase = format!("passphrase of --identity {prompt}");
        let (code, said) = typed(&env, &reveal, &[(&passphrase, "pass-CANARY")]);
        assert!(code == 0 && said.contains("s3cret") && !said.contains("CANARY"), "{said}");
        // An empty line is none, and nothing hangs.
        let (code, said) = typed(&env, &reveal, &[(&passphrase, "")]);
        assert!(code == 1 && said.contains("no passphrase was given"), "{said}");
    }
}

#[test]
fn a_hostile_file_is_refused_before_anybody_is_asked() {
    let env = TestEnv::initialised();
    let body = "A".repeat(43);
    let text = format!("age-encryption.org/v1\n-> scrypt {} 40\n{body}\n--- {body}\n\0\0", "A".repeat(22));
    let path = private(&env, "hostile", text.as_bytes());
    let (code, said) = typed(&env, &format!("--identity '{}' verify --require-open", path.display()), &[]);
    assert!(code != 0 && said.contains("more than 1 GiB") && !said.contains("passphrase of"), "{said}");
    // A file cut short is no wrong passphrase.
    let path = private(&env, "cut", &text.as_bytes()[..30]);
    let path = path.to_str().expect("a path");
    env.run(&["--identity", path, "identity", "public"]).exits(1).explains("damaged");
}

#[test]
fn what_is_not_protected_has_nothing_to_unlock() {
    let env = TestEnv::initialised();
    let said = within_keyrings(&env, "\"$pillarbox\" identity unlock").exits(1);
    said.explains("is not protected by a passphrase").explains("nothing to unlock");
    let none = TestEnv::new();
    within_keyrings(&none, "\"$pillarbox\" identity unlock")
        .exits(10)
        .explains("there is no private key to unlock")
        .explains("the kernel's keyring holds none")
        .explains("there is no session bus");
    env.run(&["identity", "unlock", "--for", "8 parsecs"]).exits(64);
    env.run(&["identity", "unlock", "--for", "0s"]).exits(64);
    env.run(&["identity", "unlock", "--for", "90d"]).exits(64).explains("30 days");
}
