//! Opening against plain age: one value, and ten thousand of one box.

use crate::table;
use pillarbox::keys::{Identities, Identity};
use pillarbox::name::{KeyPath, ReaderName, WorkspaceName};
use pillarbox::pillar::document::Document;
use pillarbox::pillar::{Node, Origin, Sealed, Value, boxes, seal};
use pillarbox::secret::Secret;
use std::time::{Duration, Instant};

const VALUES: usize = 10_000;

pub(crate) fn run(rounds: usize) {
    let identity = Identity::generate();
    let recipient = identity.recipient().clone();
    let workspace = WorkspaceName::parse("bench").expect("a name");
    let folder = boxes::BoxFolder::top();
    let readers = boxes::Readers::from([(ReaderName::parse("alice").expect("a name"), recipient)]);
    let made = boxes::make(&workspace, &folder, &readers).expect("a box");
    let keys = Identities::from(identity);
    let text = file(&made.file.slot);
    let plain = plain_age();

    let mut lock = Vec::new();
    let mut one_open = Vec::new();
    let mut one_age = Vec::new();
    let mut all_open = Vec::new();
    let mut all_age = Vec::new();
    let mut one_of_file = Vec::new();
    let mut parse = Vec::new();
    let mut parse_edit = Vec::new();
    for _ in 0..rounds {
        lock.push(timed(|| {
            made.file.open(&workspace, &folder, &keys).expect("it opens");
        }));
        let open = made.file.open(&workspace, &folder, &keys).expect("it opens");
        let values = sealed(&text);
        one_open.push(timed(|| {
            seal::open(&values[0], open.keys()).expect("it opens");
        }));
        one_age.push(timed(|| plain.open(1)));
        all_open.push(timed(|| {
            for value in &values {
                seal::open(value, open.keys()).expect("it opens");
            }
        }));
        all_age.push(timed(|| plain.open(VALUES)));
        parse.push(timed(|| {
            toml::de::DeTable::parse(text.as_str()).expect("TOML");
        }));
        parse_edit.push(timed(|| {
            toml_edit::Document::parse(text.as_str()).expect("TOML");
        }));
        one_of_file.push(timed(|| {
            let document = Document::parse("bench.toml", text.clone()).expect("a pillar file");
            let key = KeyPath::parse("values.v5000").expect("a key");
            let Some(Node { value: Value::Sealed(value), .. }) = document.get(&key) else {
                panic!("it is sealed");
            };
            seal::open(value, open.keys()).expect("it opens");
        }));
    }
    table::row("open a lock and then one value", &mut sum(&lock, &one_open), "one age file", &mut one_age);
    table::row("open one value of an open box", &mut one_open, "one age file", &mut one_age);
    table::row("open 10,000 values, one core", &mut all_open, "10,000 age files, one core", &mut all_age);
    let size = format!("parse that file of {:.1} MB", text.len() as f64 / 1e6);
    table::row("one value out of a file of 10,000", &mut one_of_file, &size, &mut parse);
    table::row(&size, &mut parse, "the same with toml_edit", &mut parse_edit);
}

fn sum(left: &[Duration], right: &[Duration]) -> Vec<Duration> {
    left.iter().zip(right).map(|(left, right)| *left + *right).collect()
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn file(slot: &pillarbox::keys::Recipient) -> String {
    let mut text = String::from("[values]\n");
    for number in 0..VALUES {
        let key = KeyPath::parse(&format!("values.v{number}")).expect("a key");
        let origin = Origin { file: "bench.toml".to_owned(), key };
        let secret = Secret::new(format!("password {number:024}").into_bytes());
        let id = seal::new_id().expect("random bits");
        let sealed = seal::seal(&secret, seal::Kind::Text, &origin, id, slot).expect("it seals");
        text.push_str(&format!("v{number} = {{ sealed = \"{}\", id = \"{}\" }}\n", sealed.sealed, sealed.id));
    }
    text
}

fn sealed(text: &str) -> Vec<Sealed> {
    let document = Document::parse("bench.toml", text.to_owned()).expect("a pillar file");
    let tree = document.tree().expect("a sound file");
    let values = tree.at(["values"]).and_then(Node::as_table).expect("a table");
    values
        .values()
        .map(|node| match &node.value {
            Value::Sealed(sealed) => (**sealed).clone(),
            other => panic!("a {}", other.kind()),
        })
        .collect()
}

/// A file of the same length, sealed and opened by age alone.
struct Plain {
    identity: age::x25519::Identity,
    file: Vec<u8>,
}

fn plain_age() -> Plain {
    let identity = age::x25519::Identity::generate();
    let file = age::encrypt(&identity.to_public(), &[7_u8; 192]).expect("it seals");
    Plain { identity, file }
}

impl Plain {
    fn open(&self, times: usize) {
        for _ in 0..times {
            age::decrypt(&self.identity, &self.file).expect("it opens");
        }
    }
}
