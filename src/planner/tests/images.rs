//! Images that nothing needs any more: when one goes, and what keeps one.

use super::start_first::{host, service};
use crate::desired::{DesiredState, Item, Kind, Replica};
use crate::engine::Engine as _;
use crate::execute::tests::stage::{Stage, absent, readable, thing};
use crate::name::ImageRef;
use crate::plan::{Action, text};
use crate::testing::fake::{Behaviour, Fault};
use serde_json::json;

fn deployed(version: u32, (retain, images): (u32, u32)) -> Vec<Item> {
    let mut items = service(version, 1);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        let Some(replica) = &mut want.replica else { continue };
        (replica.retain, replica.images, replica.drain) = (retain, images, 0);
    }
    items
}

/// A host on which versions were deployed one after another.
async fn after(versions: &[u32], keep: (u32, u32)) -> Stage {
    let stage = Stage { tidies: true, ..host() };
    for version in versions {
        Stage { items: deployed(*version, keep), ..stage.clone() }.settle().await;
    }
    stage
}

/// The images on the host, by the version that each was published as.
fn versions(stage: &Stage) -> Vec<&'static str> {
    let names = stage.fake.image_names();
    let is_there = |n: u32| {
        let digest =
            stage.fake.publish(&format!("r.example.com/nginx:{n}"), &format!("nginx {n}"), Behaviour::fine());
        names.iter().any(|name| name.ends_with(digest.as_str()))
    };
    [(1, "1"), (2, "2"), (3, "3")].into_iter().filter(|(n, _)| is_there(*n)).map(|(_, text)| text).collect()
}

/// What is done about images.
fn about_images(plan: &crate::plan::HostPlan) -> String {
    let of_images = |action: &Action| matches!(action, Action::RemoveImage { .. } | Action::Untag { .. });
    let steps = plan.steps.iter().filter(|step| of_images(&step.action));
    let steps: Vec<String> = steps.map(|step| readable(&step.action.to_string())).collect();
    if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") }
}

#[tokio::test(start_paused = true)]
async fn the_image_of_a_version_that_is_kept_no_more_goes_with_its_tag_last() {
    let stage = after(&[1, 2], (1, 1)).await;
    let plan = Stage { items: deployed(3, (1, 1)), ..stage }.plan().await.expect("planned");
    let lines = readable(&text(&plan));
    let end: Vec<&str> = lines.lines().rev().take(3).collect();
    insta::assert_snapshot!(end.into_iter().rev().collect::<Vec<_>>().join("\n"), @r"
    #14 [13] remove api.g1.kept (replace api): version 2 → 3, pillar/apps.toml:12
    #15 [14] remove image r.example.com/nginx@sha256:bb82 (remove image r.example.com/nginx@sha256:bb82): nothing needs it any more
    #16 [15] untag pillarbox.invalid/shop/api:g1-1 (remove image r.example.com/nginx@sha256:bb82): nothing needs it any more
    ");
    let changes: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.address.starts_with("image "))
        .map(|change| format!("{} {:?}: {}", readable(&change.address), change.actions, change.cause[0]))
        .collect();
    assert_eq!(changes, ["image r.example.com/nginx@bb826ab3d9b4 [Remove]: nothing needs it any more"]);
}

#[tokio::test(start_paused = true)]
async fn images_keep_leaves_images_without_their_containers() {
    let stage = after(&[1, 2, 3], (1, 2)).await;
    assert_eq!(stage.statuses(), ["api running", "api.g2.kept exited"]);
    assert_eq!(versions(&stage), ["1", "2", "3"]);
    // Less is kept from now on.
    let less = Stage { items: deployed(3, (1, 1)), ..stage.clone() };
    let plan = less.settle().await;
    let done = "remove image r.example.com/nginx@sha256:bb82, untag pillarbox.invalid/shop/api:g1-1";
    assert_eq!(about_images(&plan), done);
    assert_eq!(versions(&stage), ["2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn an_image_stays_for_a_service_that_keeps_no_container() {
    let stage = after(&[1, 2], (0, 1)).await;
    assert_eq!(stage.statuses(), ["api running"]);
    assert_eq!(versions(&stage), ["1", "2"]);
    let stage = after(&[1, 2], (0, 0)).await;
    assert_eq!(versions(&stage), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn with_all_no_image_goes() {
    let stage = after(&[1, 2, 3], (0, Replica::ALL)).await;
    assert_eq!(versions(&stage), ["1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn what_others_use_or_named_or_pulled_stays() {
    let next = async |stage: &Stage| {
        let plan = Stage { items: deployed(2, (0, 0)), ..stage.clone() }.settle().await;
        about_images(&plan)
    };
    let stage = after(&[1], (0, 0)).await;
    let image = stage.image("api");
    stage.fake.tag(&stage.fake.image_names()[1], "backup.example.com/mine:1").await.expect("tagged");
    assert_eq!(next(&stage).await, "untag pillarbox.invalid/shop/api:g1-1");
    assert_eq!(versions(&stage), ["1", "2"], "a tag of others keeps {image}");

    let stage = after(&[1], (0, 0)).await;
    let digest = stage.fake.image_names().into_iter().find(|name| name.contains('@')).expect("a digest");
    stage.fake.add_container("stranger", json!({ "Image": digest }), true);
    assert_eq!(next(&stage).await, "untag pillarbox.invalid/shop/api:g1-1");
    assert_eq!(versions(&stage), ["1", "2"], "a container of others uses it");

    let stage = after(&[1], (0, 0)).await;
    let pulled =
        DesiredState::ImagePulled { image: ImageRef::parse(&digest).expect("a reference"), force: false };
    let mut items = deployed(2, (0, 0));
    items.insert(0, thing(Kind::Image, &digest, pulled));
    let plan = Stage { items, ..stage.clone() }.settle().await;
    assert_eq!(about_images(&plan), "untag pillarbox.invalid/shop/api:g1-1");
    assert_eq!(versions(&stage), ["1", "2"], "a state wants it");
}

#[tokio::test(start_paused = true)]
async fn an_image_of_two_services_goes_with_the_last_of_them() {
    let stage = after(&[1, 2], (1, 1)).await;
    let mut other = deployed(1, (0, 0));
    other.retain(|item| item.address.kind == Kind::Container);
    let DesiredState::Container(want) = &mut other[0].want else { panic!("a container") };
    want.name = crate::name::ContainerName::parse("web").expect("a name");
    want.replica.as_mut().expect("a service").service = want.name.clone();
    other[0].address.name = "web".to_owned();
    let both = [deployed(2, (1, 1)), other].concat();
    Stage { items: both, ..stage.clone() }.settle().await;
    let without_api = Stage { items: vec![absent("api")], ..stage.clone() };
    let plan = without_api.plan().await.expect("planned");
    let done = "untag pillarbox.invalid/shop/api:g1-1, remove image r.example.com/nginx@sha256:f903, \
                untag pillarbox.invalid/shop/api:g2-2";
    assert_eq!(about_images(&plan), done);
}

/// Wherever it is cut off: one more apply, and the images are those of an apply that was not.
#[tokio::test(start_paused = true)]
async fn wherever_the_removal_of_an_image_is_cut_off_the_next_apply_finishes_it() {
    for fault in [Fault::HangUpAfter, Fault::HangUpBefore] {
        for call in 1.. {
            let stage = after(&[1, 2], (1, 1)).await;
            let next = Stage { items: deployed(3, (1, 1)), ..stage.clone() };
            stage.fake.fail(call, fault.clone());
            let failed = next.apply().await.outcome.failure.is_some();
            stage.fake.heal();
            if !failed {
                break;
            }
            next.settle().await;
            let there = versions(&stage);
            assert!(
                there.contains(&"3") && there.len() <= 2,
                "call {call}: {there:?}, {:?}",
                stage.fake.image_names()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn podman_takes_the_tags_off_first() {
    let stage = after(&[1], (0, 0)).await;
    stage.fake.set_facts(|facts| facts.engine_id = crate::observed::Facts::PODMAN.to_owned());
    let plan = Stage { items: deployed(2, (0, 0)), ..stage }.plan().await.expect("planned");
    let done = "untag pillarbox.invalid/shop/api:g1-1, remove image r.example.com/nginx@sha256:bb82";
    assert_eq!(about_images(&plan), done);
}

/// A host on which version 1 runs and 2 is wanted, and what is done about images where that of version 1 has these
/// names beside the tag of ours.
async fn named(tags: &[&str], digests: &[&str]) -> (Stage, crate::observed::Observed, String) {
    let stage = Stage { items: deployed(2, (0, 0)), ..after(&[1], (0, 0)).await };
    let mut observed = stage.observe().await;
    let kept = observed.keeps.values().next().expect("a tag of ours").image_id.clone();
    let mut image = stage.fake.image(&kept).await.expect("read").expect("it is there");
    let digest = image.id.rsplit(':').next().expect("digits").to_owned();
    let full = |name: &&str| name.replace("DIGEST", &format!("sha256:{digest}"));
    image.repo_tags = tags.iter().map(full).chain(observed.keeps.keys().cloned()).collect();
    image.repo_digests = digests.iter().map(full).collect();
    observed.kept_images.insert(kept, image);
    let plan = crate::planner::plan_host(&stage.desired(), &observed, &stage.options).expect("planned");
    let done = about_images(&plan).replace(&digest[..4], "DIGEST");
    (stage, observed, done)
}

#[tokio::test(start_paused = true)]
async fn names_by_digest_are_told_from_tags_wherever_an_engine_lists_them() {
    let goes = "remove image r.example.com/nginx@sha256:DIGEST, untag pillarbox.invalid/shop/api:g1-1";
    let mine = "r.example.com/nginx@DIGEST";
    // As Docker's own store, and as containerd's on 28.5.
    assert_eq!(named(&[], &[mine]).await.2, goes);
    assert_eq!(named(&[mine], &["pillarbox.invalid/shop/api@DIGEST"]).await.2, goes);
    let stays = "untag pillarbox.invalid/shop/api:g1-1";
    for others in ["backup.example.com/mine@DIGEST", "backup.example.com/mine:1"] {
        assert_eq!(named(&[mine, others], &[]).await.2, stays, "{others}");
    }
}

/// The Engine keeps the last name of an image as long as a container uses it.
#[tokio::test(start_paused = true)]
async fn the_last_name_of_an_image_is_taken_off_after_its_container_is_gone() {
    let (stage, observed, done) = named(&[], &[]).await;
    assert_eq!(done, "untag pillarbox.invalid/shop/api:g1-1");
    let plan = crate::planner::plan_host(&stage.desired(), &observed, &stage.options).expect("planned");
    let at = |what: &str| {
        let at = plan.steps.iter().position(|step| step.action.to_string().starts_with(what));
        at.unwrap_or_else(|| panic!("{what} in {}", text(&plan)))
    };
    assert!(at("remove api") < at("untag pillarbox.invalid/shop/api:g1-1"), "{}", text(&plan));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_takes_an_image_which_another_repository_has_is_found_to_be_wrong() {
    let (stage, mut observed, _) = named(&["r.example.com/nginx@DIGEST"], &[]).await;
    let plan = crate::planner::plan_host(&stage.desired(), &observed, &stage.options).expect("planned");
    for image in observed.kept_images.values_mut() {
        image.repo_digests.push(image.repo_tags[0].replace("r.example.com/nginx", "backup.example.com/mine"));
    }
    let said = crate::check::host(&plan, &stage.desired(), &observed).expect_err("wrong").to_string();
    assert!(said.contains("takes an image that has a name of others"), "{said}");
}
