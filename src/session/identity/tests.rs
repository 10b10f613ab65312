use super::*;
use crate::keys::{Identity, protect};
use crate::session::environment::Environment;
use std::os::unix::fs::PermissionsExt as _;

/// A home without keyrings; files of mode 0600 with the keys they hold.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    fn key(&self, name: &str) -> (PathBuf, Recipient) {
        let key = Identity::generate();
        (self.write(name, key.file_text().reveal()), key.recipient().clone())
    }

    fn environment(&self) -> Environment {
        Environment {
            personal: crate::store::Environment {
                home: Some(self.0.path().into()),
                config_home: Some(self.0.path().into()),
                ..crate::store::Environment::default()
            },
            ..Environment::default()
        }
    }
}

/// The public keys in the order in which they are tried, until one is wanted.
fn tried(session: &Session, wanted: Option<&Recipient>) -> Result<Vec<Recipient>> {
    let mut all = Vec::new();
    session.with_identities(Asking::Allowed, &|_| true, |keys| {
        all.extend(keys.iter().map(|key| key.recipient().clone()));
        Ok(wanted.filter(|wanted| keys.hold(wanted)).map(drop))
    })?;
    Ok(all)
}

#[test]
fn identities_are_tried_in_the_order_of_the_manual() {
    let home = Home::new();
    let ((option, first), (variable, second)) = (home.key("option"), home.key("variable"));
    let itself = Identity::generate();
    let (_, fourth) = home.key("pillarbox/identity.txt");
    let mut session = Session::for_tests(Environment {
        identity: Some(variable),
        age_key: Some(itself.line()),
        ..home.environment()
    });
    session.options.identity = Some(option);
    let third = itself.recipient().clone();
    assert_eq!(tried(&session, None).expect("readable"), [first, second, third, fourth]);
}

#[test]
fn what_comes_after_the_one_that_opens_is_not_looked_at() {
    let home = Home::new();
    let (option, first) = home.key("option");
    let broken = home.write("variable", b"nonsense");
    let mut session = Session::for_tests(Environment { identity: Some(broken), ..home.environment() });
    session.options.identity = Some(option);
    assert_eq!(tried(&session, Some(&first)).expect("opened"), [first]);
    assert_eq!(tried(&session, None).expect_err("the next one is broken").code(), Code::Failed);
}

#[test]
fn without_identities_none_is_read() {
    let mut session = Session::for_tests(Environment {
        identity: Some("/nonexistent/identity".into()),
        age_key: Some(Secret::from("key".to_owned())),
        ..Environment::default()
    });
    session.options.no_identity = true;
    assert_eq!(tried(&session, None).expect("nothing to read"), []);
    assert_eq!(session.no_identity("none").causes, ["--no-identity was given"]);
}

#[test]
fn when_none_opens_every_place_that_was_tried_is_named() {
    let home = Home::new();
    let session =
        Session::for_tests(Environment { age_key: Some(Identity::generate().line()), ..home.environment() });
    tried(&session, None).expect("readable");
    let problem = session.no_identity("no identity opens box `prod`");
    assert_eq!(problem.code, Code::NoIdentity);
    assert_eq!(problem.causes.len(), 6, "{problem:?}");
    assert_eq!(problem.causes[2], format!("{AGE_KEY} was tried"));
    assert!(problem.causes[4].contains("PILLARBOX_NO_KEYRING"));
    assert!(problem.causes[5].ends_with("/.ssh/id_ed25519"));
    assert!(!format!("{problem:?}").contains("AGE-SECRET"));
}

#[test]
fn a_protected_file_is_not_asked_for_without_a_terminal() {
    let home = Home::new();
    let key = Identity::generate();
    let text = protect(&key.file_text(), &Secret::from("right".to_owned())).expect("protected");
    home.write("pillarbox/identity.txt", &text);
    for unattended in [false, true] {
        let mut session = Session::for_tests(home.environment());
        session.unattended = unattended;
        assert_eq!(tried(&session, None).expect("not asked"), []);
        let problem = session.no_identity("none");
        assert!(problem.causes[3].contains("protected by a passphrase, and "), "{problem:?}");
        assert!(problem.hints[0].contains("pillarbox identity unlock '"), "{problem:?}");
    }
}

#[test]
fn a_named_file_that_is_not_there_is_an_error_not_the_next_in_line() {
    let mut session = Session::for_tests(Environment::default());
    session.options.identity = Some("/nonexistent/identity".into());
    assert_eq!(tried(&session, None).expect_err("missing").code(), Code::Failed);
}

#[test]
fn keyrings_say_why_they_hold_nothing_and_what_helps() {
    let source = kept("X", Kind::DesktopKeyring, Answer::Locked);
    assert_eq!(source.remark(), "X is locked, and was not asked");
    assert!(source.hint().expect("a hint").contains("identity unlock"));
    let said = |answer| kept("X", Kind::KernelKeyring, answer).remark();
    assert_eq!(said(Answer::Empty), "X holds none");
    assert_eq!(said(Answer::Unusable("denied".into())), "X cannot be used: denied");
    assert!(said(Answer::Holds(Secret::from("CANARY".to_owned()))).contains("no identity file"));
    let own = Identity::generate();
    assert_eq!(
        kept("X", Kind::KernelKeyring, Answer::Holds(own.file_text())).publics().next(),
        Some(own.recipient())
    );
}
