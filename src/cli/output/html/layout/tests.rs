use super::*;
use proptest::prelude::*;

/// Boxes with some of those before them as their needs.
fn graphs() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(0_usize..40, 0..4), 0..40).prop_map(|raw| {
        let earlier =
            |(index, needs): (usize, Vec<usize>)| needs.into_iter().filter(|one| *one < index).collect();
        raw.into_iter().enumerate().map(earlier).collect()
    })
}

/// Everything that is needed, directly or not, by pairs of who is needed and who needs.
fn closure(pairs: &[(usize, usize)], boxes: usize) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); boxes];
    for index in 0..boxes {
        for (from, _) in pairs.iter().filter(|(_, to)| *to == index) {
            let further = all[*from].clone();
            all[index].insert(*from);
            all[index].extend(further);
        }
    }
    all
}

proptest! {
    #[test]
    fn no_two_boxes_overlap_and_all_are_within_the_drawing(needs in graphs()) {
        let layout = layout(&needs);
        prop_assert_eq!(layout.boxes.len(), needs.len());
        for (index, (x, y)) in layout.boxes.iter().enumerate() {
            prop_assert!(*x >= 0 && *y >= 0 && x + WIDTH <= layout.width && y + HEIGHT <= layout.height);
            for (other_x, other_y) in &layout.boxes[..index] {
                prop_assert!((x - other_x).abs() >= WIDTH || (y - other_y).abs() >= HEIGHT);
            }
        }
    }

    #[test]
    fn every_line_goes_down_and_passes_beside_the_boxes(needs in graphs()) {
        let layout = layout(&needs);
        for line in &layout.lines {
            let mut last = layout.boxes[line.from].1;
            for (x, y) in &line.passes {
                prop_assert_eq!(*y, last + HEIGHT + BETWEEN);
                let through = |(left, top): &(i32, i32)| top == y && (left - 2..left + WIDTH + 2).contains(x);
                prop_assert!(!layout.boxes.iter().any(through));
                last = *y;
            }
            prop_assert_eq!(layout.boxes[line.to].1, last + HEIGHT + BETWEEN);
        }
    }

    #[test]
    fn the_lines_say_exactly_what_waits_for_what(needs in graphs()) {
        let lines = layout(&needs).lines;
        let said: Vec<(usize, usize)> = lines.iter().map(|line| (line.from, line.to)).collect();
        let pairs: Vec<(usize, usize)> =
            needs.iter().enumerate().flat_map(|(to, of)| of.iter().map(move |from| (*from, to))).collect();
        prop_assert_eq!(closure(&said, needs.len()), closure(&pairs, needs.len()));
    }
}

#[test]
fn a_chain_is_straight_and_what_it_implies_is_not_drawn() {
    let layout = layout(&[vec![], vec![0], vec![0, 1], vec![2, 0]]);
    assert!(layout.boxes.iter().all(|(x, _)| *x == layout.boxes[0].0), "{layout:?}");
    assert_eq!(layout.lines.len(), 3);
}

#[test]
fn as_many_steps_as_are_drawn_are_laid_out_at_once() {
    // Each needs the one before and one of the first: many long lines.
    let needs: Vec<Vec<usize>> =
        (0..300_usize).map(|n| if n < 100 { vec![] } else { vec![n - 100, n - 1] }).collect();
    assert_eq!(layout(&needs).boxes.len(), 300);
}

#[test]
fn nothing_is_an_empty_drawing() {
    assert_eq!(layout(&[]).width, 0);
}
