//! Every password pulls: over all printable ASCII and some more of UTF-8, at all three alignments of
//! base64. An Engine drops a header that it cannot decode and pulls anonymously.

use crate::docker::{connect, header};
use crate::testbed::EngineEnv;
use futures_util::{StreamExt as _, stream};
use pillarbox::engine::{Engine as _, ErrorKind};
use pillarbox::name::ImageRef;

/// A fixed sequence: what fails once fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// 210 passwords of at most 72 bytes, which is what bcrypt reads. `htpasswd` reads a line: no line ends.
fn passwords() -> Vec<String> {
    let printable: Vec<char> = (' '..='~').collect();
    let beyond: Vec<char> = "äöüßéèñçøåЖдλπ中文字😀€£¿ÿ\u{7ff}".chars().collect();
    let mut dice = Dice(20);
    let mut all: Vec<String> = printable.chunks(24).map(|part| part.iter().collect()).collect();
    all.extend(["~", "?", ">", "~~~", "???", ">>>", "+/=", "\"\\\"", "ÿÿÿ", "<token>"].map(str::to_owned));
    while all.len() < 210 {
        let length = 8 + dice.roll(33);
        let from_beyond = all.len().is_multiple_of(3);
        let mut password = String::new();
        while password.chars().count() < length && password.len() <= 68 {
            let beyond_now = from_beyond && dice.roll(4) == 0;
            let set = if beyond_now { &beyond } else { &printable };
            password.push(set[dice.roll(set.len())]);
        }
        all.push(password);
    }
    all
}

#[tokio::test]
async fn every_password_pulls_at_every_alignment() {
    let Some(env) = EngineEnv::new() else { return };
    let (repository, _) = env.push("serve", "web", "1");
    let image = ImageRef::parse(&format!("{repository}:1")).expect("a reference");
    let docker = connect(&env).await;
    // The user stands before the password in the header: its length shifts the alignment.
    let users: Vec<(String, String)> = passwords()
        .into_iter()
        .enumerate()
        .map(|(n, password)| (format!("{}-{n:03}{}", env.name, "x".repeat(n % 3)), password))
        .collect();
    for (user, password) in &users {
        env.add_registry_user(user, password);
    }
    let risky = users.iter().filter(|(user, password)| standard_alphabet_differs(&env, user, password));
    assert!(risky.count() >= 20, "these passwords would not show the fault they are for");
    let pulls = stream::iter(&users).map(|(user, password)| {
        let (docker, image, env) = (&docker, &image, &env);
        async move {
            let good = docker.pull(image, None, Some(&header(env, user, password)), &|_| {}).await;
            let near = header(env, user, &format!("{password}!"));
            let bad = docker.resolve(image, Some(&near)).await;
            (password, good, bad)
        }
    });
    let outcomes: Vec<_> = pulls.buffer_unordered(4).collect().await;
    assert_eq!(outcomes.len(), 210);
    for (password, good, bad) in outcomes {
        assert!(good.is_ok(), "{password:?}: {}", good.expect_err("an error").message);
        // bcrypt reads 72 bytes: one more counts for all of these.
        assert_eq!(bad.expect_err("another password").kind, ErrorKind::Refused, "{password:?}");
    }
}

fn standard_alphabet_differs(env: &EngineEnv, user: &str, password: &str) -> bool {
    header(env, user, password).reveal().contains(['-', '_'])
}
