//! A reader leaves a large workspace, against the age work of it; and `git diff` through `pillarbox show`.

use crate::env::TestEnv;
use crate::table;
use pillarbox::keys::{Identities, Identity, IdentityFile, Recipient};
use pillarbox::name::{KeyPath, ReaderName, WorkspaceName};
use pillarbox::pillar::boxes::{self, BoxFolder, OpenBox, Readers};
use pillarbox::pillar::{Origin, seal};
use pillarbox::secret::Secret;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

const BOXES: usize = 200;
const READERS: usize = 50;
const VALUES: usize = 5_000;
const DIFFED: usize = 400;

pub(crate) fn run(rounds: usize) {
    let env = TestEnv::initialised();
    let text = Secret::new(std::fs::read(env.identity()).expect("the identity"));
    let IdentityFile::Open(own) = IdentityFile::read(&text, "identity").expect("an identity") else {
        panic!("it has no passphrase");
    };
    let readers = readers(&env, own.iter().next().expect("one").recipient());
    workspace(&env, &readers);
    git(&env, &["init", "-q", "-b", "main", "."]);
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "first"]);
    if let Ok(folder) = std::env::var("PILLARBOX_BENCH_KEEP") {
        env.program("cp", &["-a", env.home().to_str().expect("a path"), &folder]).run().ok();
    }
    env.run(&["verify"]).ok();

    let (mut remove, mut work, mut verify) = (Vec::new(), Vec::new(), Vec::new());
    let cores = u32::try_from(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)).unwrap_or(1);
    // Each removal adds retired keys to the locks, so there are few.
    for number in 0..rounds.min(3) {
        let name = format!("r{:02}", READERS - 1 - number);
        work.push(age_work(&readers, &own) / cores);
        let start = Instant::now();
        env.run(&["reader", "remove", &name]).ok();
        remove.push(start.elapsed());
        let start = Instant::now();
        env.run(&["verify"]).ok();
        verify.push(start.elapsed());
    }
    let what = format!("reader remove: {BOXES} boxes, {READERS} readers, {VALUES} values (process)");
    table::row(&what, &mut remove, "its age work, divided by the cores", &mut work);
    table::row("verify of the same (process)", &mut verify, "the age work of that removal", &mut work);

    git(&env, &["config", "diff.pillarbox.textconv", &format!("'{}' show", env!("CARGO_BIN_EXE_pillarbox"))]);
    env.write(".gitattributes", "pillar/**/*.toml diff=pillarbox\n");
    let (mut shown, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..rounds.min(3) {
        for (times, option) in [(&mut shown, "--textconv"), (&mut plain, "--no-textconv")] {
            let start = Instant::now();
            let output = env.program("git", &["diff", option, "--", "pillar"]).run();
            assert_eq!(output.code, 0, "{}", output.stderr);
            times.push(start.elapsed());
        }
    }
    let what = format!("git diff of {DIFFED} files through pillarbox show");
    table::row(&what, &mut shown, "the same without it", &mut plain);
}

fn git(env: &TestEnv, arguments: &[&str]) {
    env.program("git", arguments).run().ok();
}

fn readers(env: &TestEnv, own: &Recipient) -> Readers {
    let name = |text: &str| ReaderName::parse(text).expect("a name");
    let mut readers = Readers::from([(name("alice"), own.clone())]);
    for number in 1..READERS {
        let key = Identity::generate().recipient().clone();
        env.write(&format!("keys/r{number:02}.pub"), format!("{key}\n"));
        readers.insert(name(&format!("r{number:02}")), key);
    }
    readers
}

fn workspace(env: &TestEnv, readers: &Readers) {
    let name = WorkspaceName::parse("shop").expect("a name");
    for number in 0..BOXES {
        let folder = BoxFolder::parse(&format!("b{number:03}")).expect("a folder");
        let made = boxes::make(&name, &folder, readers).expect("a box");
        env.write(&folder.file(), made.file.to_string());
        let file = format!("b{number:03}/apps.toml");
        let mut text = String::new();
        for value in 0..VALUES / BOXES {
            let key = KeyPath::parse(&format!("app{value}.token")).expect("a key");
            let origin = Origin { file: file.clone(), key };
            let secret = Secret::new(format!("password {value:024}").into_bytes());
            let id = seal::new_id().expect("random bits");
            let sealed =
                seal::seal(&secret, seal::Kind::Text, &origin, id, &made.file.slot).expect("it seals");
            text.push_str(&format!(
                "[app{value}]\ntoken = {{ sealed = \"{}\", id = \"{}\" }}\n",
                sealed.sealed, sealed.id
            ));
        }
        env.write(&format!("pillar/{file}"), text);
    }
}

/// What a rotation cannot do without, by age alone and on one core: each lock is opened and sealed to its
/// readers, and each value is opened and sealed.
fn age_work(readers: &Readers, own: &Identities) -> Duration {
    let reader = own.iter().next().expect("one").recipient().clone();
    let (mine, name) = (age::x25519::Identity::generate(), WorkspaceName::parse("shop").expect("a name"));
    let folder = BoxFolder::top();
    let made = boxes::make(&name, &folder, readers).expect("a box");
    let value = age::encrypt(&mine.to_public(), &[7_u8; 192]).expect("it seals");
    let start = Instant::now();
    for _ in 0..BOXES {
        let open: OpenBox = made.file.open(&name, &folder, own).expect("it opens");
        assert!(open.readers().values().any(|key| *key == reader));
        boxes::rekey(&open, readers, boxes::NewSlot::Always).expect("rekeyed");
    }
    for _ in 0..VALUES {
        age::decrypt(&mine, &value).expect("it opens");
        age::encrypt(&mine.to_public(), &[7_u8; 192]).expect("it seals");
    }
    start.elapsed()
}
