use super::*;
use crate::keys::Identity;

fn name(text: &str) -> ReaderName {
    ReaderName::parse(text).expect("a name")
}

fn folder(text: &str) -> BoxFolder {
    BoxFolder::parse(text).expect("a folder")
}

fn reader(text: &str) -> Reader {
    Reader { name: name(text), key: None }
}

fn boxed(of: &str, slot: &Recipient, readers: &[&str]) -> Change {
    let readers = readers.iter().map(|reader| name(reader)).collect();
    Change::Box(folder(of), Some(Rc::new(BoxAt { slot: slot.clone(), readers })))
}

fn id(text: &str) -> SealId {
    SealId::parse(&format!("{text:0>16}")).expect("an id")
}

fn file(of: &str, secrets: &[(&str, &str)]) -> Change {
    let secrets = secrets.iter().map(|(key, text)| (KeyPath::parse(key).expect("a key"), id(text))).collect();
    Change::File(of.to_owned(), Some(Rc::new(secrets)))
}

fn slots<const N: usize>() -> [Recipient; N] {
    std::array::from_fn(|_| Identity::generate().recipient().clone())
}

fn could(all: &Readership, who: &str) -> Vec<String> {
    all.of(&reader(who)).map(|(id, _)| id.as_str().trim_start_matches('0').to_owned()).collect()
}

#[test]
fn a_secret_is_followed_through_moves_rotations_and_boxes_below() {
    let [one, two, below] = slots();
    let mut all = Readership::default();
    let first =
        all.step(0, &[], vec![boxed("", &one, &["alice", "bob"]), file("a.toml", &[("x", "1"), ("y", "2")])]);
    // y goes to a box that bob does not read, x is replaced, z is new.
    let second = all.step(
        1,
        &[&first],
        vec![
            boxed("prod", &below, &["alice"]),
            file("a.toml", &[("x", "3")]),
            file("prod/a.toml", &[("y", "2"), ("z", "4")]),
        ],
    );
    // Bob leaves, and everything is sealed again; then w is new.
    let third = all.step(2, &[&second], vec![boxed("", &two, &["alice"])]);
    let last = all.step(3, &[&third], vec![file("a.toml", &[("x", "3"), ("w", "5")])]);
    assert_eq!(could(&all, "bob"), ["1", "2", "3"]);
    assert_eq!(could(&all, "alice"), ["1", "2", "3", "4", "5"]);
    assert_eq!(all.secrets[&id("1")].ended, Some((1, Some(id("3")))));
    assert_eq!(all.secrets[&id("2")].places.len(), 2);
    assert_eq!(all.left[&reader("bob")], BTreeMap::from([(folder(""), 2)]));
    assert_eq!(last.since[&folder("")][&reader("alice")], 0);
    assert_eq!(last.places()[&id("2")].len(), 1);
    assert_eq!(all.who(&id("2")), BTreeSet::from([&reader("alice"), &reader("bob")]));
}

#[test]
fn a_new_reader_can_open_what_was_sealed_to_the_slots_before() {
    let [one, two] = slots();
    let mut all = Readership::default();
    let first = all.step(0, &[], vec![boxed("", &one, &["alice"]), file("a.toml", &[("x", "1")])]);
    let second = all.step(1, &[&first], vec![boxed("", &two, &["alice"]), file("a.toml", &[("x", "2")])]);
    all.step(2, &[&second], vec![boxed("", &two, &["alice", "dave"])]);
    assert_eq!(could(&all, "dave"), ["1", "2"]);
}

#[test]
fn a_merge_brings_what_a_branch_had() {
    let [one, two] = slots();
    let mut all = Readership::default();
    let base = all.step(0, &[], vec![boxed("", &one, &["alice", "bob"]), file("a.toml", &[("x", "1")])]);
    let branch = all.step(1, &[&base], vec![file("b.toml", &[("late", "7")])]);
    let main = all.step(2, &[&base], vec![boxed("", &two, &["alice", "carol"])]);
    let merged = all.step(3, &[&main, &branch], vec![file("b.toml", &[("late", "7")])]);
    // Posted to the slot that bob can open.
    assert_eq!(could(&all, "bob"), ["1", "7"]);
    assert_eq!(could(&all, "carol"), ["1", "7"]);
    assert_eq!(merged.since[&folder("")][&reader("carol")], 2);
    // The other way round the rotation comes in by the merge.
    let mut all = Readership::default();
    let base = all.step(0, &[], vec![boxed("", &one, &["alice", "bob"])]);
    let branch = all.step(1, &[&base], vec![boxed("", &two, &["alice"])]);
    let merged = all.step(2, &[&base, &branch], vec![boxed("", &two, &["alice"])]);
    assert_eq!(all.left[&reader("bob")][&folder("")], 2);
    assert_eq!(merged.since[&folder("")][&reader("alice")], 0);
}
