//! Attacks on a sealed value by a writer without a key, which must fail.

use super::*;
use crate::keys::{Identity, IdentityFile};
use crate::name::{KeyPath, ReaderName};
use crate::pillar::boxes::people::*;
use crate::pillar::boxes::{BoxFolder, NewSlot, Readers, make, rekey};
use proptest::prelude::*;

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
    // Its length is enough: no key is needed to see that it was sealed for a shorter place.
    let longer = Sealed { origin: place("prod/longer.toml", "api.db_password"), ..copied };
    assert!(refusal(check_shape(&longer)).contains("length"));
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
    let file = IdentityFile::read(&Secret::new(slot.to_vec()), "slot.txt");
    let Ok(IdentityFile::Open(identities)) = file else { panic!("no identity file") };
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

#[test]
fn a_value_sealed_to_more_than_its_slot_is_refused() {
    let mallory = person("mallory");
    let made = top(&[&person("alice")]);
    let value = post("s3cret", &place("apps.toml", "a.b"), &made.file.slot);
    let header = Header { origin: value.origin.clone(), id: value.id.clone(), kind: Kind::Text, len: 6 };
    let sealed = Envelope::seal(&header.with(b"s3cret"), [&made.file.slot, &mallory.public].into_iter());
    let value = Sealed { sealed: sealed.expect("sealed"), ..value };
    assert!(refusal(check_shape(&value)).contains("2 keys"));
    assert!(refusal(open(&value, made.open.keys())).contains("2 keys"));
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
}

#[test]
fn a_value_sealed_to_an_ssh_key_is_refused_without_a_key() {
    let ssh = crate::keys::Recipient::parse(crate::pillar::boxes::people::SSH[0]).expect("a key");
    let value = post("s3cret", &place("apps.toml", "api.pw"), &ssh);
    assert!(refusal(check_shape(&value)).contains("sealed to an ssh key"));
}
