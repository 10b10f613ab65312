//! Joining two locks of one box, which two branches made of the same one.

use super::lock::RETIRED;
use super::{BoxKeys, NewSlot, OpenBox, Readers};
use crate::keys::Identity;

/// A lock that opens the values of both, to be rekeyed: to a new slot where each of the two was rotated on
/// its own; otherwise the later of the two is that lock, and keeps its slot.
pub fn join(ours: &OpenBox, theirs: &OpenBox) -> (OpenBox, NewSlot) {
    let holds = |open: &OpenBox, other: &OpenBox| {
        open.keys.newest_first().any(|key| key.recipient() == other.keys.slot())
    };
    if holds(ours, theirs) {
        return (ours.clone(), NewSlot::IfKeysGo);
    }
    if holds(theirs, ours) {
        return (theirs.clone(), NewSlot::IfKeysGo);
    }
    let mut retired: Vec<Identity> = vec![theirs.keys.current.clone()];
    for key in ours.keys.retired.iter().chain(&theirs.keys.retired) {
        if !retired.iter().any(|known| known.recipient() == key.recipient()) {
            retired.push(key.clone());
        }
    }
    // The revision after both: a lock lists as many retired keys as it had revisions before.
    let listed = u32::try_from((retired.len() + 1).min(RETIRED)).unwrap_or_default();
    let turn = ours.turn.max(theirs.turn).max(listed);
    let readers: Readers = theirs.readers.clone().into_iter().chain(ours.readers.clone()).collect();
    let keys = BoxKeys { current: ours.keys.current.clone(), retired };
    (OpenBox { turn, readers, keys, ..ours.clone() }, NewSlot::Always)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pillar::boxes::people::*;
    use crate::pillar::boxes::{Made, rekey};

    fn rotated(made: &Made, times: usize, who: &[&Person]) -> Vec<Made> {
        let mut all: Vec<Made> = Vec::new();
        for _ in 0..times {
            let last = all.last().unwrap_or(made);
            all.push(rekey(&last.open, &readers(who), NewSlot::Always).expect("rekeyed"));
        }
        all
    }

    #[test]
    fn values_of_both_branches_open_however_often_each_was_rotated() {
        let alice = person("alice");
        let first = top(&[&alice]);
        let value = |made: &Made| post("s3cret", &place("a.toml", "k"), &made.file.slot);
        for (left, right) in [(1, 1), (1, 3), (4, 2), (5, 5), (9, 1)] {
            let (left, right) = (rotated(&first, left, &[&alice]), rotated(&first, right, &[&alice]));
            let (ours, theirs) = (left.last().expect("one"), right.last().expect("one"));
            let (both, when) = join(&ours.open, &theirs.open);
            assert_eq!(when, NewSlot::Always);
            for made in [ours, theirs] {
                open_value(&value(made), &both);
            }
            let made = rekey(&both, &readers(&[&alice]), when).expect("rekeyed");
            assert!(made.open.turn() > ours.open.turn().max(theirs.open.turn()));
            // Everything that binds a lock holds for it: it opens.
            let open = opened_by(&made.file, &alice).expect("a lock like any other");
            for made in [ours, theirs] {
                assert!(open.keys().retired_slots().any(|slot| *slot == made.file.slot));
            }
        }
    }

    #[test]
    fn where_one_lock_is_later_or_the_slot_is_the_same_no_value_is_sealed_again() {
        let (alice, bob, carol) = (person("alice"), person("bob"), person("carol"));
        let first = top(&[&alice]);
        let with_bob = rekey(&first.open, &readers(&[&alice, &bob]), NewSlot::IfKeysGo).expect("rekeyed");
        let with_carol = rekey(&first.open, &readers(&[&alice, &carol]), NewSlot::IfKeysGo).expect("rekeyed");
        let (both, when) = join(&with_bob.open, &with_carol.open);
        let all = rekey(&both, &readers(&[&alice, &bob, &carol]), when).expect("rekeyed");
        assert!(!all.new_slot && all.file.slot == first.file.slot);
        let later = rotated(&first, 1, &[&alice]);
        for (both, when) in [join(&later[0].open, &with_bob.open), join(&with_bob.open, &later[0].open)] {
            let all = rekey(&both, &readers(&[&alice, &bob]), when).expect("rekeyed");
            assert!(!all.new_slot && all.file.slot == later[0].file.slot);
        }
    }
}
