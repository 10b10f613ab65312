//! What somebody with write access to the workspace and no key may try, and must not achieve.

use super::*;
use crate::keys::{Identities, Identity};
use crate::name::{KeyPath, ReaderName, WorkspaceName};
use crate::pillar::boxes::{BoxFile, BoxFolder, Made, NewSlot, OpenBox, Readers, make, rekey};
use crate::pillar::known::{BoxVerdict, Known, Purpose, SeenBox};
use crate::problem::Problems;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

/// A person or machine with a key.
struct Person {
    name: ReaderName,
    keys: Identities,
    public: Recipient,
}

fn person(name: &str) -> Person {
    let identity = Identity::generate();
    let public = identity.recipient().clone();
    Person { name: ReaderName::parse(name).expect("a name"), keys: identity.into(), public }
}

fn readers(people: &[&Person]) -> Readers {
    people.iter().map(|person| (person.name.clone(), person.public.clone())).collect()
}

fn workspace(name: &str) -> WorkspaceName {
    WorkspaceName::parse(name).expect("a name")
}

fn folder(name: &str) -> BoxFolder {
    BoxFolder::parse(name).expect("a folder")
}

fn place(file: &str, key: &str) -> Origin {
    Origin { file: file.into(), key: KeyPath::parse(key).expect("a key") }
}

fn top(people: &[&Person]) -> Made {
    make(&workspace("shop"), &BoxFolder::top(), &readers(people)).expect("a box")
}

fn opened_by(file: &BoxFile, person: &Person) -> Result<OpenBox> {
    file.open(&workspace("shop"), &BoxFolder::top(), &person.keys)
}

fn post(text: &str, origin: &Origin, slot: &Recipient) -> Sealed {
    let secret = Secret::from(text.to_owned());
    seal(&secret, Kind::Text, origin, new_id().expect("random"), slot).expect("sealed")
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    let problems: Problems = result.expect_err("refused");
    assert_eq!(problems.code(), Code::Seal, "{problems}");
    problems.iter().map(|p| format!("{} {} {}", p.what, p.causes.join(" "), p.hints.join(" "))).collect()
}

fn seen<'a>(
    workspace: &'a WorkspaceName,
    folder: &'a BoxFolder,
    file: &'a BoxFile,
    open: Option<&'a OpenBox>,
) -> SeenBox<'a> {
    SeenBox { workspace, folder, slot: &file.slot, open }
}

#[test]
fn a_posted_value_opens_for_every_reader_and_where_it_was_posted() {
    let (alice, ci) = (person("alice"), person("ci"));
    let made = top(&[&alice, &ci]);
    let sealed = post("s3cret", &place("apps.toml", "api.db_password"), &made.file.slot);
    check_shape(&sealed).expect("a fine shape");
    made.file.check_shape(&BoxFolder::top()).expect("a fine shape");
    for reader in [&alice, &ci] {
        let open = opened_by(&made.file, reader).expect("a reader");
        assert_eq!((open.turn(), open.readers()), (1, &readers(&[&alice, &ci])));
        let opened = open_value(&sealed, &open);
        assert_eq!(opened.secret.reveal_text(), Some("s3cret"));
        assert_eq!((opened.kind, opened.retired), (Kind::Text, None));
    }
}

fn open_value(sealed: &Sealed, box_: &OpenBox) -> Opened {
    open(sealed, box_.keys()).expect("opens")
}

#[test]
fn a_stranger_is_told_who_reads_the_box_and_how_to_be_added() {
    let (alice, frank) = (person("alice"), person("frank"));
    let made = top(&[&alice]);
    let problems = opened_by(&made.file, &frank).expect_err("not a reader");
    assert_eq!(problems.code(), Code::NoIdentity);
    let problem = problems.iter().next().expect("one");
    assert!(problem.causes[0].contains("alice") && problem.hints[0].contains(frank.public.as_str()));
    let none = made.file.open(&workspace("shop"), &BoxFolder::top(), &Identities::default());
    assert_eq!(none.expect_err("nobody").code(), Code::NoIdentity);
}

#[test]
fn a_value_copied_to_another_key_or_file_is_refused_and_names_both_places() {
    let made = top(&[&person("alice")]);
    let from = place("registries/ghcr.io.toml", "registries.\"ghcr.io\".password");
    let sealed = post("token", &from, &made.file.slot);
    for to in [
        place("registries/ghcr.io.toml", "registries.\"ghcr.io/acme\".password"),
        place("registries/ghcr.io.toml", "registries.\"ghcr.io\".identity_token"),
        place("registries/evil.example.com.toml", "registries.\"ghcr.io\".password"),
        place("registries/evil.example.com.toml", "registries.\"evil.example.com\".password"),
        place("apps.toml", "api.token"),
    ] {
        let said = refusal(open(&Sealed { origin: to.clone(), ..sealed.clone() }, made.open.keys()));
        assert!(said.contains(&from.to_string()) && said.contains(&to.to_string()), "{said}");
        assert!(!said.contains("token\"") && !said.contains("s3cret"));
    }
}

#[test]
fn a_value_copied_to_another_box_is_refused_and_its_box_can_be_named() {
    let alice = person("alice");
    let made = top(&[&alice]);
    let prod = make(&workspace("shop"), &folder("prod"), &readers(&[&alice])).expect("a box");
    let from = place("apps.toml", "api.db_password");
    let copied = Sealed {
        origin: place("prod/apps.toml", "api.db_password"),
        ..post("s3cret", &from, &made.file.slot)
    };
    assert!(refusal(open(&copied, prod.open.keys())).contains("was not sealed for this box's slot"));
    assert_eq!(place_inside(&copied, prod.open.keys()), None);
    assert_eq!(place_inside(&copied, made.open.keys()), Some(from));
    // Its length alone tells: no key is needed to see that it was sealed for a shorter place.
    let longer = Sealed { origin: place("prod/longer.toml", "api.db_password"), ..copied };
    assert!(refusal(check_shape(&longer)).contains("length"));
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
fn swapped_values_and_edited_ids_are_refused() {
    let made = top(&[&person("alice")]);
    let one = post("one", &place("apps.toml", "api.one"), &made.file.slot);
    let two = post("two", &place("apps.toml", "api.two"), &made.file.slot);
    let swapped = Sealed { origin: two.origin.clone(), ..one.clone() };
    assert!(refusal(open(&swapped, made.open.keys())).contains("api.one in pillar/apps.toml"));
    let half_swapped = Sealed { sealed: two.sealed, ..one.clone() };
    assert!(refusal(open(&half_swapped, made.open.keys())).contains("api.two in pillar/apps.toml"));
    let edited = Sealed { id: two.id, ..one.clone() };
    assert!(refusal(open(&edited, made.open.keys())).contains(one.id.as_str()));
}

/// Every text that differs from a base64 text in one character or in one bit of what it encodes.
fn flips(text: &str) -> impl Iterator<Item = String> {
    let bytes = STANDARD.decode(text).expect("base64");
    let coded = (0..bytes.len()).map(move |index| {
        let mut bytes = bytes.clone();
        bytes[index] ^= 1 << (index % 8);
        STANDARD.encode(bytes)
    });
    let written = (0..text.len()).flat_map(move |index| {
        [b'A', b'/', b'=', b'\n', b' '].map(|other| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] = if bytes[index] == other { b'B' } else { other };
            String::from_utf8(bytes).expect("ascii")
        })
    });
    coded.chain(written.collect::<Vec<_>>())
}

#[test]
fn a_flip_anywhere_in_a_sealed_value_is_refused() {
    let made = top(&[&person("alice")]);
    let value = post("s3cret", &place("apps.toml", "api.db_password"), &made.file.slot);
    for sealed in flips(&value.sealed) {
        refusal(open(&Sealed { sealed, ..value.clone() }, made.open.keys()));
    }
    for cut in 0..value.sealed.len() {
        refusal(open(&Sealed { sealed: value.sealed[..cut].to_owned(), ..value.clone() }, made.open.keys()));
    }
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
fn a_slot_minted_with_its_lock_is_refused_where_the_box_is_known() {
    let alice = person("alice");
    let (shop, pillar) = (workspace("shop"), BoxFolder::top());
    let made = top(&[&alice]);
    // An attacker needs public keys alone for this: slot, lock and readers all agree.
    let minted = top(&[&alice]);
    let fooled = opened_by(&minted.file, &alice).expect("nothing inside tells");
    let mut known = Known::default();
    let genuine = seen(&shop, &pillar, &made.file, Some(&made.open));
    assert_eq!(known.meet_box(&genuine, Purpose::Post, false), Ok(BoxVerdict::FirstUse));
    assert_eq!(known.meet_box(&genuine, Purpose::Post, true), Ok(BoxVerdict::Same));
    for open in [Some(&fooled), None] {
        for purpose in [Purpose::Post, Purpose::Read] {
            let said = refusal(known.meet_box(&seen(&shop, &pillar, &minted.file, open), purpose, false));
            assert!(
                said.contains(made.file.slot.as_str()) && said.contains(minted.file.slot.as_str()),
                "{said}"
            );
            assert!(said.contains("pillarbox known accept pillar/"));
        }
    }
    known.learn_box(&seen(&shop, &pillar, &minted.file, Some(&fooled)));
    let accepted = known.meet_box(&seen(&shop, &pillar, &minted.file, Some(&fooled)), Purpose::Post, false);
    assert_eq!(accepted, Ok(BoxVerdict::Same));
}

#[test]
fn a_first_use_is_refused_with_strict() {
    let made = top(&[&person("alice")]);
    let (shop, pillar) = (workspace("shop"), BoxFolder::top());
    let mut known = Known::default();
    let said = refusal(known.meet_box(&seen(&shop, &pillar, &made.file, None), Purpose::Post, true));
    assert!(said.contains(made.file.slot.as_str()));
    assert!(!known.is_changed());
}

#[test]
fn an_older_box_may_be_read_and_not_posted_to() {
    let (alice, frank) = (person("alice"), person("frank"));
    let (shop, pillar) = (workspace("shop"), BoxFolder::top());
    let old = top(&[&alice, &frank]);
    let value = post("s3cret", &place("apps.toml", "api.db_password"), &old.file.slot);
    let new = rekey(&old.open, &readers(&[&alice]), NewSlot::IfKeysGo).expect("rekeyed");
    assert!(new.new_slot && new.change.gone.len() == 1 && new.change.come.is_empty());

    // A machine that saw the old slot follows to the new one by itself, through the retired key.
    let mut known = Known::default();
    known.learn_box(&seen(&shop, &pillar, &old.file, None));
    let keyless = known.meet_box(&seen(&shop, &pillar, &new.file, None), Purpose::Post, false);
    refusal(keyless);
    let opened = opened_by(&new.file, &alice).expect("a reader");
    let followed = known.meet_box(&seen(&shop, &pillar, &new.file, Some(&opened)), Purpose::Post, false);
    assert_eq!(followed, Ok(BoxVerdict::Followed { from: old.file.slot.clone() }));

    // The old box comes back, genuine in every part, and frank is in it. A machine that met the
    // box at its second turn refuses it as well.
    let mut late = Known::default();
    late.learn_box(&seen(&shop, &pillar, &new.file, Some(&opened)));
    let restored = opened_by(&old.file, &alice).expect("genuine");
    for known in [&mut known, &mut late] {
        for open in [Some(&restored), None] {
            let back = seen(&shop, &pillar, &old.file, open);
            refusal(known.meet_box(&back, Purpose::Post, false));
            assert_eq!(known.meet_box(&back, Purpose::Read, true), Ok(BoxVerdict::Retired));
        }
        let again = known.meet_box(&seen(&shop, &pillar, &new.file, Some(&opened)), Purpose::Post, true);
        assert_eq!(again, Ok(BoxVerdict::Same), "reading an older checkout forgets nothing");
    }
    // Frank keeps what he could read; the new lock is shut to him.
    assert_eq!(opened_by(&new.file, &frank).expect_err("gone").code(), Code::NoIdentity);
    assert_eq!(open_value(&value, &opened).retired, Some(old.file.slot));
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
    let said = refusal(opened_by(&BoxFile { lock: other, ..made.file.clone() }, &mallory));
    assert!(said.contains("none of the keys it lists"), "{said}");
    // A value is sealed to its slot alone.
    let value = post("s3cret", &place("apps.toml", "a.b"), &made.file.slot);
    let header = Header { origin: value.origin.clone(), id: value.id.clone(), kind: Kind::Text, len: 6 };
    let plain = header.with(b"s3cret");
    let sealed = Envelope::seal(&plain, [&made.file.slot, &mallory.public].into_iter()).expect("sealed");
    assert!(refusal(open(&Sealed { sealed, ..value }, made.open.keys())).contains("2 keys"));
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
fn a_strange_key_under_keys_changes_nothing_until_a_rekey_shows_it() {
    let (alice, ci, mallory) = (person("alice"), person("ci"), person("mallory"));
    let (shop, pillar) = (workspace("shop"), BoxFolder::top());
    let made = top(&[&alice, &ci]);
    let mut known = Known::default();
    known.learn_box(&seen(&shop, &pillar, &made.file, Some(&made.open)));
    // keys/ci.pub now holds mallory's key. What is locked opens on.
    let mut wish = readers(&[&alice, &ci]);
    wish.insert(ci.name.clone(), mallory.public.clone());
    let open = opened_by(&made.file, &alice).expect("opens on");
    let change = crate::pillar::boxes::ReaderChange::between(open.readers(), &wish);
    assert_eq!(change.come, [(ci.name.clone(), mallory.public.clone())]);
    assert_eq!(change.gone, [(ci.name.clone(), ci.public.clone())]);
    assert_eq!(known.unknown_readers(&shop, &wish), change, "a new box asks the same");
    assert!(known.unknown_readers(&shop, open.readers()).is_empty());
    assert_ne!(crate::pillar::boxes::fingerprint(&wish), crate::pillar::boxes::fingerprint(open.readers()));
}

#[test]
fn adding_a_reader_keeps_the_slot_and_taking_one_away_does_not() {
    let (alice, ci, bob) = (person("alice"), person("ci"), person("bob"));
    let made = top(&[&alice, &ci]);
    let value = post("s3cret", &place("apps.toml", "api.db_password"), &made.file.slot);
    let added = rekey(&made.open, &readers(&[&alice, &ci, &bob]), NewSlot::IfKeysGo).expect("rekeyed");
    assert!(!added.new_slot && added.file.slot == made.file.slot && added.open.turn() == 1);
    let (old, new) = (made.file.to_string(), added.file.to_string());
    assert_eq!(
        old.lines().zip(new.lines()).filter(|(old, new)| old != new).count(),
        2,
        "two lines of one file"
    );
    open_value(&value, &opened_by(&added.file, &bob).expect("a reader"));

    let less = rekey(&added.open, &readers(&[&alice, &bob]), NewSlot::IfKeysGo).expect("rekeyed");
    assert!(less.new_slot && less.file.slot != made.file.slot && less.open.turn() == 2);
    let open = opened_by(&less.file, &bob).expect("a reader");
    assert_eq!(open.keys().retired_slots().collect::<Vec<_>>(), [&made.file.slot]);
    let again = reseal(&value, open.keys(), &less.file.slot).expect("sealed again");
    assert_eq!((&again.id, &again.origin), (&value.id, &value.origin));
    assert_eq!(open_value(&again, &open).retired, None);
    refusal(super::open(&again, added.open.keys()));

    // A reader who comes with another key is one who goes.
    let bob_again = Person { name: bob.name, ..person("bob2") };
    let changed = rekey(&less.open, &readers(&[&alice, &bob_again]), NewSlot::IfKeysGo).expect("rekeyed");
    assert!(changed.new_slot && changed.change.come.len() == 1 && changed.change.gone.len() == 1);
}

#[test]
fn eight_retired_keys_are_kept_newest_first() {
    let alice = person("alice");
    let mut boxes = vec![top(&[&alice])];
    for _ in 0..10 {
        let last = boxes.last().expect("one");
        boxes.push(rekey(&last.open, &readers(&[&alice]), NewSlot::Always).expect("rekeyed"));
    }
    let open = opened_by(&boxes[10].file, &alice).expect("a reader");
    let expected: Vec<&Recipient> = boxes[2..10].iter().rev().map(|made| &made.file.slot).collect();
    assert_eq!((open.turn(), open.keys().retired_slots().collect::<Vec<_>>()), (11, expected));
    let value = |index: usize| post("s3cret", &place("a.toml", "k"), &boxes[index].file.slot);
    assert_eq!(open_value(&value(2), &open).retired.as_ref(), Some(&boxes[2].file.slot));
    assert!(refusal(super::open(&value(1), open.keys())).contains("was not sealed for this box's slot"));
}

#[test]
fn boxes_without_readers_or_with_a_key_twice_are_not_made() {
    let alice = person("alice");
    let made = |readers: &Readers| make(&workspace("shop"), &BoxFolder::top(), readers);
    assert!(made(&Readers::new()).is_err());
    let twin = Person { name: ReaderName::parse("bob").expect("a name"), ..person("b") };
    let mut same = readers(&[&alice, &twin]);
    same.insert(twin.name, alice.public.clone());
    assert!(made(&same).expect_err("one key twice").to_string().contains("alice and bob have the same key"));
    let many = |count: usize| {
        let name = |index: usize| ReaderName::parse(&format!("reader-{index:03}")).expect("a name");
        (0..count).map(|index| (name(index), Identity::generate().recipient().clone())).collect::<Readers>()
    };
    assert!(made(&many(300)).is_ok());
    assert!(made(&many(1000)).is_err());
}

#[test]
fn a_moved_value_keeps_its_id_and_opens_at_its_new_place_alone() {
    let alice = person("alice");
    let made = top(&[&alice]);
    let prod = make(&workspace("shop"), &folder("prod"), &readers(&[&alice])).expect("a box");
    let value = post("s3cret", &place("apps.toml", "api.pw"), &made.file.slot);
    let to = place("prod/apps.toml", "api.pw");
    let moved = move_to(&value, made.open.keys(), &to, &prod.file.slot).expect("moved");
    assert_eq!((&moved.id, &moved.origin), (&value.id, &to));
    assert_eq!(open_value(&moved, &prod.open).secret.reveal_text(), Some("s3cret"));
    refusal(open(&moved, made.open.keys()));
}

#[test]
fn plain_age_recovers_a_secret_in_two_steps() {
    let alice = person("alice");
    let old = top(&[&alice]);
    let made = rekey(&old.open, &readers(&[&alice]), NewSlot::Always).expect("rekeyed");
    let value = post("s3cret", &place("apps.toml", "api.pw"), &made.file.slot);
    let late = post("t00", &place("apps.toml", "api.pw"), &old.file.slot);
    // `base64 -d | age -d -i identity.txt > slot.txt`, then the same with slot.txt.
    let lock = Envelope::read(&made.file.lock, 1 << 16).expect("an age file");
    let slot = lock.open(alice.keys.iter().next().expect("one")).expect("whole").expect("hers");
    let identities = Identities::parse(&Secret::new(slot.to_vec()), "slot.txt").expect("an identity file");
    for (value, secret) in [(value, "\n\ns3cret\n"), (late, "\n\nt00\n")] {
        let envelope = Envelope::read(&value.sealed, 9999).expect("an age file");
        let plain = identities.iter().find_map(|key| envelope.open(key).expect("whole")).expect("opens");
        assert!(std::str::from_utf8(&plain).expect("text").contains(secret));
    }
}

#[test]
fn no_error_or_debug_text_shows_a_secret() {
    let made = top(&[&person("alice")]);
    let value = post("s3cret-canary", &place("apps.toml", "api.pw"), &made.file.slot);
    let opened = open_value(&value, &made.open);
    let wrong = open(&Sealed { origin: place("a.toml", "b"), ..value.clone() }, made.open.keys());
    let shown = format!("{made:?} {opened:?} {value:?} {:?} {wrong:?}", made.open.keys());
    assert!(!shown.contains("canary") && !shown.contains("AGE-SECRET-KEY"), "{shown}");
    let not_text = seal(&Secret::new(vec![0xff]), Kind::Text, &value.origin, value.id, &made.file.slot);
    assert!(not_text.is_err());
}

#[test]
fn keys_are_shared_by_threads() {
    let made = top(&[&person("alice")]);
    let value = post("s3cret", &place("apps.toml", "api.pw"), &made.file.slot);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(open_value(&value, &made.open).secret.len(), 6));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_at_any_place_open_as_they_were_sealed(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            proptest::collection::vec(any::<u8>(), 65_400..65_700),
            Just(Vec::new()),
            Just(vec![b'\n'; 65_536]),
        ],
        file in ".*",
        key in proptest::collection::vec(".*", 1..4),
        bits in any::<[u8; 8]>(),
    ) {
        let identity = Identity::generate();
        let slot = identity.recipient().clone();
        let mut readers = Readers::new();
        readers.insert(ReaderName::parse("a").expect("a name"), slot);
        let made = make(&workspace("w"), &BoxFolder::top(), &readers).expect("a box");
        let origin = Origin { file, key: KeyPath::from_parts(key).expect("parts") };
        let secret = Secret::new(bytes);
        let id = SealId::from_bits(bits);
        let sealed = seal(&secret, Kind::of(&secret), &origin, id, &made.file.slot).expect("sealed");
        check_shape(&sealed).expect("a fine shape");
        let opened = open(&sealed, made.open.keys()).expect("opens");
        prop_assert!(opened.secret.same_as(secret.reveal()));
        prop_assert_eq!(opened.kind, Kind::of(&secret));
    }

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
