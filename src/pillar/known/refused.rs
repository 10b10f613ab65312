//! What the known file must refuse: boxes that are consistent in themselves and are not the known ones.

use super::{BoxVerdict, Known, Older, Purpose, SeenBox, SeenWorkspace};
use crate::pillar::boxes::people::*;
use crate::pillar::boxes::{BoxFile, BoxFolder, NewSlot, OpenBox, ReaderChange, fingerprint, join, rekey};
use crate::problem::Code;

fn seen<'a>(
    workspace: &'a SeenWorkspace,
    folder: &'a BoxFolder,
    file: &'a BoxFile,
    open: Option<&'a OpenBox>,
) -> SeenBox<'a> {
    SeenBox { workspace, folder, slot: &file.slot, open }
}

#[test]
fn a_slot_minted_with_its_lock_is_refused_where_the_box_is_known() {
    let alice = person("alice");
    let (shop, pillar) = (SeenWorkspace::from(workspace("shop")), BoxFolder::top());
    let made = top(&[&alice]);
    // An attacker needs only public keys for this: slot, lock and readers all agree.
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
    let (shop, pillar) = (SeenWorkspace::from(workspace("shop")), BoxFolder::top());
    let mut known = Known::default();
    let said = refusal(known.meet_box(&seen(&shop, &pillar, &made.file, None), Purpose::Post, true));
    assert!(said.contains(made.file.slot.as_str()));
    assert!(!known.is_changed());
}

#[test]
fn an_older_box_may_be_read_and_not_posted_to() {
    let (alice, frank) = (person("alice"), person("frank"));
    let (shop, pillar) = (SeenWorkspace::from(workspace("shop")), BoxFolder::top());
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
    // box at its second revision refuses it as well.
    let mut late = Known::default();
    late.learn_box(&seen(&shop, &pillar, &new.file, Some(&opened)));
    let restored = opened_by(&old.file, &alice).expect("genuine");
    for known in [&mut known, &mut late] {
        for open in [Some(&restored), None] {
            let back = seen(&shop, &pillar, &old.file, open);
            refusal(known.meet_box(&back, Purpose::Post, false));
            refusal(known.meet_box(&back, Purpose::Read, true));
            let found = open.map(OpenBox::turn);
            let older = BoxVerdict::Older(Older { found, seen: Some(2) });
            assert_eq!(known.meet_box(&back, Purpose::Read, false), Ok(older));
            assert!(known.is_older(&back));
        }
        let again = known.meet_box(&seen(&shop, &pillar, &new.file, Some(&opened)), Purpose::Post, true);
        assert_eq!(again, Ok(BoxVerdict::Same), "reading an older checkout forgets nothing");
    }
    // Frank keeps what he could read; the new lock is shut to him.
    assert_eq!(opened_by(&new.file, &frank).expect_err("gone").code(), Code::NoIdentity);
    assert_eq!(open_value(&value, &opened).retired, Some(old.file.slot));
}

#[test]
fn a_strange_key_under_keys_changes_nothing_until_a_rekey_shows_it() {
    let (alice, ci, mallory) = (person("alice"), person("ci"), person("mallory"));
    let (shop, pillar) = (SeenWorkspace::from(workspace("shop")), BoxFolder::top());
    let made = top(&[&alice, &ci]);
    let mut known = Known::default();
    known.learn_box(&seen(&shop, &pillar, &made.file, Some(&made.open)));
    // keys/ci.pub now holds mallory's key. What is locked opens on.
    let mut want = readers(&[&alice, &ci]);
    want.insert(ci.name.clone(), mallory.public.clone());
    let open = opened_by(&made.file, &alice).expect("opens on");
    let change = ReaderChange::between(open.readers(), &want);
    assert_eq!(change.come, [(ci.name.clone(), mallory.public)]);
    assert_eq!(change.gone, [(ci.name.clone(), ci.public)]);
    assert_eq!(known.unknown_readers(&shop, &want), change, "a new box asks the same");
    assert!(known.unknown_readers(&shop, open.readers()).is_empty());
    assert_ne!(fingerprint(&want), fingerprint(open.readers()));
}

#[test]
fn a_turn_never_goes_back() {
    let alice = person("alice");
    let (shop, pillar) = (SeenWorkspace::from(workspace("shop")), BoxFolder::top());
    let old = top(&[&alice]);
    let new = rekey(&old.open, &readers(&[&alice]), NewSlot::Always).expect("rekeyed");
    let mut known = Known::default();
    known.learn_box(&seen(&shop, &pillar, &old.file, Some(&old.open)));
    // An attacker who had the key of the known slot lists it as retired in a lock of an earlier revision.
    let later = known.to_string().replace("turn = 1", "turn = 7");
    let mut later = Known::parse(&later, "known.toml").expect("reads back");
    let said =
        refusal(later.meet_box(&seen(&shop, &pillar, &new.file, Some(&new.open)), Purpose::Read, false));
    assert!(said.contains("its revision is 2, and was 7"), "{said}");
    refusal(later.meet_box(&seen(&shop, &pillar, &old.file, Some(&old.open)), Purpose::Read, false));
    assert!(known.meet_box(&seen(&shop, &pillar, &new.file, Some(&new.open)), Purpose::Read, false).is_ok());
}

/// A workspace as it is checked out on a branch.
fn on(branch: &str) -> SeenWorkspace {
    let (folder, branch) = (Some("/home/alice/shop".to_owned()), Some(branch.to_owned()));
    SeenWorkspace { folder, branch, ..SeenWorkspace::from(workspace("shop")) }
}

#[test]
fn an_older_box_that_was_accepted_stays_beside_the_newer_one_until_a_merge_retires_it() {
    let (alice, frank) = (person("alice"), person("frank"));
    let (main, branch, pillar) = (on("main"), on("rotation"), BoxFolder::top());
    let old = top(&[&alice, &frank]);
    let new = rekey(&old.open, &readers(&[&alice]), NewSlot::IfKeysGo).expect("rekeyed");
    let mut known = Known::default();
    let old_on_main = seen(&main, &pillar, &old.file, Some(&old.open));
    let new_on = |workspace| seen(workspace, &pillar, &new.file, Some(&new.open));
    known.meet_box(&old_on_main, Purpose::Post, false).expect("the first use");
    known.meet_box(&new_on(&branch), Purpose::Post, true).expect("followed");
    let said = refusal(known.meet_box(&old_on_main, Purpose::Post, false));
    assert!(said.contains("this checkout has revision 1, this machine has seen 2"), "{said}");

    assert!(known.accept_box(&old_on_main), "beside the newer one");
    let mut known = Known::parse(&known.to_string(), "known.toml").expect("reads back");
    for _ in 0..2 {
        assert_eq!(known.meet_box(&new_on(&branch), Purpose::Post, true), Ok(BoxVerdict::Same));
        assert_eq!(known.meet_box(&old_on_main, Purpose::Post, true), Ok(BoxVerdict::Accepted));
        let keyless = seen(&main, &pillar, &old.file, None);
        assert_eq!(known.meet_box(&keyless, Purpose::Post, true), Ok(BoxVerdict::Accepted));
    }
    // The branch is merged: from now on an older box on main is a rewind.
    assert_eq!(known.meet_box(&new_on(&main), Purpose::Post, true), Ok(BoxVerdict::Same));
    refusal(known.meet_box(&old_on_main, Purpose::Post, false));
}

#[test]
fn an_accepted_older_box_proves_no_newer_one() {
    let (alice, frank) = (person("alice"), person("frank"));
    let (shop, pillar) = (on("main"), BoxFolder::top());
    let old = top(&[&alice, &frank]);
    let new = rekey(&old.open, &readers(&[&alice]), NewSlot::IfKeysGo).expect("rekeyed");
    let mut known = Known::default();
    known.learn_box(&seen(&shop, &pillar, &new.file, Some(&new.open)));
    known.accept_box(&seen(&shop, &pillar, &old.file, Some(&old.open)));
    // Frank has the key of the old slot, and makes locks of any revision of it.
    let mut made = rekey(&old.open, &readers(&[&alice, &frank]), NewSlot::Always).expect("made by frank");
    for _ in 0..3 {
        made = rekey(&made.open, &readers(&[&alice, &frank]), NewSlot::Always).expect("made by frank");
        let minted = seen(&shop, &pillar, &made.file, Some(&made.open));
        for purpose in [Purpose::Read, Purpose::Post] {
            refusal(known.meet_box(&minted, purpose, false));
        }
    }
}

#[test]
fn two_branches_that_rotated_stay_beside_each_other_until_one_box_holds_both() {
    let alice = person("alice");
    let (left, right, pillar) = (on("left"), on("right"), BoxFolder::top());
    let old = top(&[&alice]);
    let [a, b] = [(), ()].map(|()| rekey(&old.open, &readers(&[&alice]), NewSlot::Always).expect("rekeyed"));
    let (a_here, b_here) =
        (seen(&left, &pillar, &a.file, Some(&a.open)), seen(&right, &pillar, &b.file, Some(&b.open)));
    let mut known = Known::default();
    known.learn_box(&a_here);
    let said = refusal(known.meet_box(&b_here, Purpose::Read, false));
    assert!(said.contains("reader rekey --also"), "{said}");
    assert!(!known.accept_box(&b_here), "neither is older");
    assert_eq!(known.meet_box(&b_here, Purpose::Post, true), Ok(BoxVerdict::Same));
    assert_eq!(known.meet_box(&a_here, Purpose::Post, true), Ok(BoxVerdict::Accepted));
    let (both, when) = join(&a.open, &b.open);
    let both = rekey(&both, &readers(&[&alice]), when).expect("joined");
    let joined = seen(&left, &pillar, &both.file, Some(&both.open));
    let followed = known.meet_box(&joined, Purpose::Post, true);
    assert_eq!(followed, Ok(BoxVerdict::Followed { from: b.file.slot.clone() }));
    for late in [&a_here, &b_here] {
        refusal(known.meet_box(late, Purpose::Post, false));
    }
}
