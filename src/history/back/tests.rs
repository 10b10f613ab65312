use super::*;
use crate::history::sample::{Row, generations, wanted};
use State::{Attempt, Down, ImageOnly, Kept, Runs};

/// A host: what is left there, and what is wanted.
type Host<'a> = (&'a [Row<'a>], Wanted);

/// The same version with another variable.
fn otherwise(said: &str) -> Wanted {
    let mut spec = Spec::default();
    spec.fixed.insert("hostname".to_owned(), "other".into());
    let specs = BTreeMap::from([("api".to_owned(), spec)]);
    Wanted { specs, ..wanted(said) }
}

/// Where each goes.
fn goes(hosts: &[Host<'_>]) -> Vec<Option<(u64, Why)>> {
    let kept: Vec<Vec<Generation>> = hosts.iter().map(|(rows, _)| generations(rows)).collect();
    let hosts = hosts.iter().zip(&kept);
    let hosts: Vec<OnHost<'_>> =
        hosts.map(|((_, wanted), kept)| OnHost { generations: kept, wanted }).collect();
    back(&hosts).into_iter().map(|back| back.map(|back| (back.generation.number, back.why))).collect()
}

fn alone(rows: &[Row<'_>], wanted: Wanted) -> Option<(u64, Why)> {
    goes(&[(rows, wanted)])[0]
}

const DONE: &[Row<'_>] = &[(3, "1.2", 'c', Runs), (2, "1.1", 'b', Kept), (1, "1.0", 'a', Kept)];
const FAILED: &[Row<'_>] = &[(3, "1.2", 'c', Attempt), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)];
const UNTOUCHED: &[Row<'_>] = &[(2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)];

#[test]
fn after_a_good_deployment_back_is_what_was_in_service_before() {
    for said in ["1.2", "1.2@c"] {
        assert_eq!(alone(DONE, wanted(said)), Some((2, Why::Before)), "{said}");
    }
}

#[test]
fn a_failed_deployment_never_takes_the_working_version_away() {
    // With a digest, without one, and whatever the gate names meanwhile.
    for said in ["1.2", "1.2@c", "1.3", "1.1", "1.1@b"] {
        assert_eq!(alone(FAILED, wanted(said)), Some((2, Why::Failed(3))), "{said}");
    }
    // The same version with another variable failed.
    let rows = &[(3, "1.1", 'b', Attempt), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)];
    assert_eq!(alone(rows, otherwise("1.1@b")), Some((2, Why::Failed(3))));
    // What is in service was stopped for it, and it was cut off there.
    let rows = &[(3, "1.2", 'c', Attempt), (2, "1.1", 'b', Down), (1, "1.0", 'a', Kept)];
    assert_eq!(alone(rows, wanted("1.2")), Some((2, Why::Failed(3))));
    // Cut off between the two renames, no container holds the plain name.
    let rows = &[(3, "1.2", 'c', Attempt), (2, "1.1", 'b', Kept), (1, "1.0", 'a', Kept)];
    assert_eq!(alone(rows, wanted("1.2")), Some((2, Why::Failed(3))));
}

#[test]
fn a_version_that_left_no_trace_takes_nothing_away_either() {
    // Its image was never pulled, or its container was pruned.
    assert_eq!(alone(UNTOUCHED, wanted("1.2")), Some((2, Why::NeverDeployed)));
    assert_eq!(alone(UNTOUCHED, wanted("1.2@c")), Some((2, Why::NeverDeployed)));
    // One of that tag from elsewhere is another one.
    let elsewhere =
        Wanted { image: ImageRef::parse("r.example.com/other:1.1").expect("a reference"), ..wanted("1.1") };
    assert_eq!(alone(UNTOUCHED, elsewhere), Some((2, Why::NeverDeployed)));
}

#[test]
fn a_rollback_that_failed_is_gone_on_with_by_the_same_command() {
    // Its gate names 1.1 already, and 1.2 is still in service.
    for said in ["1.1", "1.1@b"] {
        assert_eq!(alone(DONE, wanted(said)), Some((2, Why::Before)), "{said}");
    }
}

/// Its tag is there before its container is made: where something else failed before that, nothing more is left.
#[test]
fn an_image_alone_does_not_say_that_its_version_was_ever_in_service() {
    let rows = &[(3, "1.2", 'c', ImageOnly), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)];
    for said in ["1.2", "1.2@c"] {
        assert_eq!(alone(rows, wanted(said)), Some((2, Why::NeverDeployed)), "{said}");
    }
    let rows = &[(4, "1.1", 'b', Attempt), (3, "1.2", 'c', Runs), (2, "1.1", 'b', ImageOnly)];
    assert_eq!(alone(rows, wanted("1.1@b")), Some((3, Why::Failed(4))));
}

#[test]
fn a_change_that_was_never_applied_is_no_deployment() {
    assert_eq!(alone(DONE, otherwise("1.2@c")), Some((2, Why::Before)));
}

#[test]
fn after_a_deployment_that_failed_on_some_host_all_go_to_what_was_in_service_before_it() {
    for said in ["1.2", "1.2@c"] {
        let hosts = [(DONE, wanted(said)), (FAILED, wanted(said)), (UNTOUCHED, wanted(said))];
        let expected = [(2, Why::Before), (2, Why::Failed(3)), (2, Why::NeverDeployed)].map(Some);
        assert_eq!(goes(&hosts), expected, "{said}");
    }
    // Another variable alone: one has it, it failed on one, and did not come to the third.
    let done = &[(3, "1.1", 'b', Runs), (2, "1.1", 'b', Kept), (1, "1.0", 'a', Kept)];
    let failed = &[(3, "1.1", 'b', Attempt), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)];
    let hosts =
        [(done.as_slice(), wanted("1.1@b")), (failed, wanted("1.1@b")), (UNTOUCHED, otherwise("1.1@b"))];
    let expected = [(2, Why::Before), (2, Why::Failed(3)), (2, Why::NotReached)].map(Some);
    assert_eq!(goes(&hosts), expected);
}

#[test]
fn a_host_that_left_the_version_earlier_stays_while_another_has_come_to_it() {
    let left = &[(3, "1.2", 'c', Kept), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)];
    let hosts = [(DONE, wanted("1.2")), (left.as_slice(), wanted("1.2"))];
    assert_eq!(goes(&hosts), [(2, Why::Before), (2, Why::NotReached)].map(Some));
}

#[test]
fn a_deployment_of_which_one_container_failed_gives_way_to_the_one_that_others_still_run() {
    let mut all = generations(&[(3, "1.2", 'c', Runs), (2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)]);
    let mut attempt = all[0].instances[0].clone();
    (attempt.slot, attempt.role) = ("api-2".to_owned(), InstanceRole::Attempt);
    all[0].instances.push(attempt);
    let wanted = wanted("1.2");
    let found = back(&[OnHost { generations: &all, wanted: &wanted }])[0].expect("kept");
    assert_eq!((found.generation.number, found.why), (2, Why::Failed(3)));
}

#[test]
fn nothing_earlier_is_nowhere_to_go_and_images_count_after_containers() {
    assert_eq!(alone(&[(1, "1.0", 'a', Runs)], wanted("1.0")), None);
    assert_eq!(alone(&[(1, "1.0", 'a', Attempt)], wanted("1.0")), None);
    let rows = &[(3, "1.2", 'c', Runs), (2, "1.1", 'b', ImageOnly), (1, "1.0", 'a', Kept)];
    assert_eq!(alone(rows, wanted("1.2")), Some((1, Why::Before)));
    let rows = &[(4, "1.2", 'c', Runs), (3, "?", 'c', ImageOnly), (2, "?", 'b', ImageOnly)];
    assert_eq!(alone(rows, wanted("1.2")), Some((2, Why::Before)));
}
