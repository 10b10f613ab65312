//! Attacks on a lock by a writer without a key, which must fail.

use super::people::*;
use super::{BoxFile, BoxFolder, NewSlot, Readers, make, rekey};
use crate::keys::{Envelope, Identities, Identity};
use crate::name::ReaderName;
use crate::problem::Code;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

#[test]
fn a_stranger_is_told_who_reads_the_box_and_how_to_be_added() {
    let (alice, frank) = (person("alice"), person("frank"));
    let made = top(&[&alice]);
    let problems = opened_by(&made.file, &frank).expect_err("not a reader");
    assert_eq!(problems.code(), Code::NoIdentity);
    let problem = problems.iter().next().expect("one");
    assert!(problem.causes[0].contains("alice") && problem.hints[0].contains(frank.public.as_str()));
    let none = made.file.open(&workspace("shop"), &BoxFolder::top(), &Identities::default());
    assert_eq!(none.expect_err("no identity").code(), Code::NoIdentity);
}

#[test]
fn a_box_copied_to_another_workspace_or_folder_is_refused() {
    let alice = person("alice");
    let made = top(&[&alice]);
    let other = made.file.open(&workspace("other"), &BoxFolder::top(), &alice.keys);
    let said = refusal(other);
    assert!(said.contains("workspace shop, not other"), "{said}");
    let said = refusal(made.file.open(&workspace("shop"), &folder("prod"), &alice.keys));
    assert!(said.contains("box pillar/, not pillar/prod/"), "{said}");
}

#[test]
fn a_flip_anywhere_in_a_lock_is_refused() {
    let (alice, ci) = (person("alice"), person("ci"));
    let made = top(&[&alice, &ci]);
    for lock in flips(&made.file.lock) {
        let problems = opened_by(&BoxFile { lock, ..made.file.clone() }, &alice).expect_err("refused");
        // Where the flip hits alice's own stanza, it is as if she never was a reader.
        assert!(matches!(problems.code(), Code::Seal | Code::NoIdentity), "{problems}");
    }
}

#[test]
fn readers_edited_in_clear_are_refused_by_every_reader() {
    let (alice, ci) = (person("alice"), person("ci"));
    let made = top(&[&alice, &ci]);
    let edits: [&[&str]; 4] = [&["alice"], &["alice", "frank"], &["alice", "ci", "frank"], &["frank"]];
    for names in edits {
        let names = names.iter().map(|name| ReaderName::parse(name).expect("a name")).collect();
        let edited = BoxFile { readers: names, ..made.file.clone() };
        refusal(opened_by(&edited, &alice));
        refusal(opened_by(&edited, &ci));
    }
}

#[test]
fn a_swapped_slot_is_refused_by_every_reader() {
    let (alice, mallory) = (person("alice"), person("mallory"));
    let made = top(&[&alice]);
    let swapped = BoxFile { slot: mallory.public.clone(), ..made.file };
    assert!(refusal(opened_by(&swapped, &alice)).contains(mallory.public.as_str()));
}

#[test]
fn a_lock_sealed_to_more_keys_than_it_lists_is_refused() {
    let (alice, mallory) = (person("alice"), person("mallory"));
    let made = top(&[&alice]);
    let lock = STANDARD.decode(&made.file.lock).expect("base64");
    assert_eq!(lock.first(), Some(&b'a'));
    let plain = Envelope::read(&made.file.lock, 1 << 16).expect("a lock");
    let plain = plain.open(alice.keys.iter().next().expect("one")).expect("whole").expect("hers");
    let twice = Envelope::seal(&plain, [&alice.public, &mallory.public].into_iter()).expect("sealed");
    assert!(refusal(opened_by(&BoxFile { lock: twice, ..made.file.clone() }, &alice)).contains("2 keys"));
    // One key as listed, but another one.
    let other = Envelope::seal(&plain, [&mallory.public].into_iter()).expect("sealed");
    let said = refusal(opened_by(&BoxFile { lock: other, ..made.file }, &mallory));
    assert!(said.contains("not among the keys it lists"), "{said}");
}

#[test]
fn a_lock_that_says_something_else_is_refused() {
    let alice = person("alice");
    let old = top(&[&alice]);
    let made = rekey(&old.open, &readers(&[&alice]), NewSlot::Always).expect("rekeyed");
    let plain = Envelope::read(&made.file.lock, 1 << 16).expect("a lock");
    let plain = plain.open(alice.keys.iter().next().expect("one")).expect("whole").expect("hers");
    let text = std::str::from_utf8(&plain).expect("text").to_owned();
    let opened = |text: &str| {
        let lock = Envelope::seal(text.as_bytes(), [&alice.public].into_iter()).expect("sealed");
        opened_by(&BoxFile { lock, ..made.file.clone() }, &alice)
    };
    opened(&text).expect("unchanged");
    let retired = text.split("# retired\n").nth(1).expect("one retired key").to_owned();
    for (from, to) in [
        ("pillarbox-lock/1", "pillarbox-lock/2"),
        ("# turn 2", "# turn 3"),
        ("# turn 2", "# turn 0"),
        ("# turn 2", "# turn 02"),
        ("# turn 2", "# turn 1\n# turn 2"),
        ("# workspace shop\n", ""),
        ("# reader alice", "# reader frank"),
        (alice.public.as_str(), made.file.slot.as_str()),
        ("# retired\n", ""),
        ("# retired\n", "# retired\n\n"),
        ("# retired\n", "# retired\nAGE-PLUGIN-EVIL-1QQQQ\n# retired\n"),
        (retired.as_str(), "AGE-PLUGIN-EVIL-1QQQQ\n"),
        ("AGE-SECRET-KEY-1", "age-secret-key-1"),
    ] {
        assert!(text.contains(from), "{from}");
        refusal(opened(&text.replacen(from, to, 1)));
    }
    refusal(opened(&format!("{text}# end\n")));
    refusal(opened(text.trim_end()));
    refusal(opened(""));
}

#[test]
fn boxes_without_readers_or_with_a_key_twice_are_not_made() {
    let alice = person("alice");
    let made = |readers: &Readers| make(&workspace("shop"), &BoxFolder::top(), readers);
    assert!(made(&Readers::new()).is_err());
    let twin = Person { name: ReaderName::parse("bob").expect("a name"), ..person("b") };
    let mut same = readers(&[&alice, &twin]);
    same.insert(twin.name, alice.public);
    assert!(made(&same).expect_err("one key twice").to_string().contains("alice and bob have the same key"));
    let many = |count: usize| {
        let name = |index: usize| ReaderName::parse(&format!("reader-{index:03}")).expect("a name");
        (0..count).map(|index| (name(index), Identity::generate().recipient().clone())).collect::<Readers>()
    };
    assert!(made(&many(300)).is_ok());
    assert!(made(&many(1000)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_box_opens_as_it_was_made(
        names in proptest::collection::btree_set("[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}", 1..5),
        parts in proptest::collection::vec("[a-z0-9][a-zA-Z0-9._-]{0,9}", 0..3),
        turns in 0..4_usize,
    ) {
        let people: Vec<Person> = names.iter().map(|name| person(name)).collect();
        let readers = readers(&people.iter().collect::<Vec<_>>());
        let folder = BoxFolder::parse(&format!("pillar/{}", parts.join("/"))).expect("a folder");
        let mut made = make(&workspace("w"), &folder, &readers).expect("a box");
        for _ in 0..turns {
            made = rekey(&made.open, &readers, NewSlot::Always).expect("rekeyed");
        }
        let file = BoxFile::parse(&made.file.to_string(), "box.toml").expect("reads back");
        prop_assert_eq!(&file, &made.file);
        for person in &people {
            let open = file.open(&workspace("w"), &folder, &person.keys).expect("a reader");
            prop_assert_eq!(open.readers(), &readers);
            prop_assert_eq!(open.keys().slot(), &file.slot);
            prop_assert_eq!(open.keys().retired_slots().count(), turns);
        }
    }
}

#[test]
fn a_lock_sealed_to_another_ssh_key_than_it_lists_is_refused() {
    let alice = person("alice");
    let [bob, mallory] = SSH.map(|text| crate::keys::Recipient::parse(text).expect("a key"));
    let both = Readers::from([
        (alice.name.clone(), alice.public.clone()),
        (ReaderName::parse("bob").expect("a name"), bob.clone()),
    ]);
    let made = make(&workspace("shop"), &BoxFolder::top(), &both).expect("a box");
    assert_eq!(opened_by(&made.file, &alice).expect("a reader").readers(), &both);
    assert!(made.file.may_open_with(&bob) && !made.file.may_open_with(&mallory));
    let plain = made.open.text();
    for others in [[&alice.public, &mallory], [&alice.public, &person("frank").public]] {
        let lock = Envelope::seal(&plain, others.into_iter()).expect("sealed");
        let said = refusal(opened_by(&BoxFile { lock, ..made.file.clone() }, &alice));
        assert!(said.contains("the ssh keys that it is sealed to are not those that it lists"), "{said}");
    }
}

#[test]
fn an_ssh_key_is_no_slot() {
    let made = top(&[&person("alice")]);
    let text = made.file.to_string().replace(made.file.slot.as_str(), SSH[0]);
    assert!(
        BoxFile::parse(&text, "box.toml").expect_err("no slot").to_string().contains("cannot be the slot")
    );
}
