use super::super::host::sample;
use super::*;
use crate::history::State;

fn numbers(hosts: &[Host], to: Option<&str>) -> Result<Vec<u64>> {
    Ok(targets("api", hosts, to)?.iter().map(|target| target.number).collect())
}

/// All of it, causes too.
fn said(problems: &Problems) -> String {
    let all = problems.iter().map(|problem| format!("{}\n{}", problem.what, problem.causes.join("\n")));
    all.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_host_has_it_or_all_that_lack_it_are_named_with_what_they_have() {
    use State::{Attempt, ImageOnly, Kept, Runs};
    let hosts = [
        sample("web1", "1.2@c", &[(3, "1.2", 'c', Runs), (2, "1.1", 'b', Kept), (1, "1.0", 'a', Kept)]),
        sample("web2", "1.2@c", &[(9, "1.2", 'c', Runs), (8, "1.1", 'b', Attempt), (7, "?", 'a', ImageOnly)]),
    ];
    // What web1 knows by its tag web2 has by its digest.
    assert_eq!(numbers(&hosts, Some("1.0")).expect("both have it"), [1, 7]);
    assert_eq!(numbers(&hosts, Some("aaaaaaaaaaaa")).expect("both have it"), [1, 7]);
    assert_eq!(numbers(&hosts, Some("1.2")).expect("both run it"), [3, 9]);
    let lacking = numbers(&hosts, Some("1.1")).expect_err("a failed attempt is not kept");
    let lacking = said(&lacking);
    assert!(lacking.contains("version 1.1 is not kept of api on web2; nothing was changed"), "{lacking}");
    assert!(lacking.contains("web2 has 1.2 (generation 9, runs), aaaaaaaaaaaa (generation 7, image only)"));
    assert!(!lacking.contains("web1 has"), "{lacking}");
    // They would go to different places.
    let differ = numbers(&hosts, None).expect_err("different versions");
    let differ = said(&differ);
    assert!(differ.contains("web1 would roll back to 1.1 (generation 2, kept)"), "{differ}");
    assert!(
        numbers(&hosts, Some("2")).expect_err("two hosts").to_string().contains("generations count per host")
    );
    assert_eq!(numbers(&hosts[..1], Some("1")).expect("kept"), [1]);
    assert_eq!(numbers(&hosts[..1], Some("g2")).expect("kept"), [2]);
    assert!(numbers(&hosts[1..], Some("8")).expect_err("failed").to_string().contains("is a failed attempt"));
    assert_eq!(numbers(&hosts[1..], None).expect("the image"), [7]);
}

#[test]
fn what_some_generation_has_as_its_version_is_no_number() {
    use State::{Kept, Runs};
    let hosts = [sample("web1", "1.2@c", &[(4, "2", 'c', Runs), (3, "g4", 'b', Kept), (2, "?", 'a', Kept)])];
    assert_eq!(numbers(&hosts, Some("2")).expect("a version"), [4]);
    assert_eq!(numbers(&hosts, Some("g4")).expect("a version"), [3]);
    assert_eq!(numbers(&hosts, Some("g2")).expect("a number"), [2]);
}

#[test]
fn one_version_with_two_digests_is_no_version() {
    use State::{Kept, Runs};
    let hosts = [
        sample("web1", "1.2@c", &[(2, "1.1", 'b', Runs), (1, "1.0", 'a', Kept)]),
        sample("web2", "1.2@c", &[(2, "1.1", 'b', Runs), (1, "1.0", 'd', Kept)]),
    ];
    let problems = numbers(&hosts, Some("1.0")).expect_err("two images").to_string();
    assert!(problems.contains("hosts have different images as version 1.0 of api"), "{problems}");
}
