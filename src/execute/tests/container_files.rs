//! Files of containers: put into them, mounted, rewritten.

use super::stage::{Open, SECRET, Stage, absent, item, running, runtime, secret};
use super::trouble::{Trouble, live_through, trouble};
use crate::desired::container_file::Content;
use crate::desired::{ContainerFile, DesiredContainer, OnChange};
use crate::execute::Interrupt;
use crate::plan::{HostPlan, Verb};
use crate::state::{FileBytes, Text};
use proptest::prelude::*;
use serde_json::json;

const CFG: &str = "/etc/haproxy.cfg";
const ONE: &str = "r.example.com/nginx:1";

fn text(content: &str) -> ContainerFile {
    ContainerFile::of(Content::of(Text::clear(content)))
}

fn on(does: OnChange, content: &str) -> ContainerFile {
    ContainerFile { on_change: does, ..text(content) }
}

fn hup(content: &str) -> ContainerFile {
    on(OnChange::Signal("SIGHUP".to_owned()), content)
}

fn sealed() -> ContainerFile {
    let parts =
        [crate::state::Segment::Clear("password ".to_owned()), secret("api.pw").segments()[0].clone()];
    ContainerFile::of(Content::of(Text::from_segments(parts)))
}

fn want(files: &[(&str, ContainerFile)]) -> DesiredContainer {
    let mut want = running("nginx", ONE);
    want.spec.files = files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect();
    want
}

fn read_only(files: &[(&str, ContainerFile)]) -> DesiredContainer {
    let mut want = want(files);
    want.spec.fixed.insert("read_only".to_owned(), json!(true));
    want
}

fn world() -> Stage {
    let stage = Stage::new();
    for n in 1..=2 {
        stage.publish(n);
    }
    stage
}

fn content(stage: &Stage, path: &str) -> String {
    let file = stage.fake.file("nginx", path).unwrap_or_else(|| panic!("no {path}"));
    String::from_utf8(file.content).expect("text")
}

/// What a plan says, without steps.
fn said(plan: &HostPlan) -> String {
    let line = |change: &crate::plan::Change| {
        let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
        let files = change.files.iter().map(|file| {
            let what = file.diff.clone().or_else(|| file.note.clone()).unwrap_or_default();
            format!("\n{}\n{}", file.path, what.trim_end())
        });
        let files: String = files.collect();
        format!("{} {}: {}{files}", change.actions[0].symbol(), change.address, causes.join(" | "))
    };
    plan.changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn steps(plan: &HostPlan) -> Vec<String> {
    plan.steps.iter().map(|step| step.action.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_is_in_the_container_before_it_starts_and_its_time_follows_from_it() {
    let file = ContainerFile { uid: 1000, gid: 70, mode: 0o640, ..text("maxconn 100\n") };
    let stage = world().with(vec![want(&[(CFG, file.clone())])]);
    let plan = stage.settle().await;
    let there = stage.fake.file("nginx", CFG).expect("there");
    assert_eq!((there.content.as_slice(), there.owner), (&b"maxconn 100\n"[..], (1000, 70, 0o640)));
    assert_eq!(there.time, file.time());
    let calls = stage.fake.changes();
    let at = |wanted: &str| calls.iter().position(|call| call == wanted).expect(wanted);
    assert!(at("create nginx") < at("put nginx /") && at("put nginx /") < at("start nginx"), "{calls:?}");
    assert_eq!(stage.fake.volume_names(), [""; 0]);
    let stored = serde_json::to_string(&plan).expect("JSON");
    assert!(
        !stored.contains("maxconn") && stored.contains(file.clear().expect("clear").digest()),
        "{stored}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_replaces_the_container_and_the_plan_shows_the_difference() {
    let stage = world().with(vec![want(&[(CFG, text("global\n  maxconn 100\n")), ("/etc/same", text("x"))])]);
    stage.settle().await;
    let next = stage.with(vec![want(&[(CFG, text("global\n  maxconn 200\n")), ("/etc/same", text("x"))])]);
    let plan = next.settle().await;
    insta::assert_snapshot!(said(&plan), @r"
    -/+ container nginx: files./etc/haproxy.cfg changed
    /etc/haproxy.cfg
    @@ -1,2 +1,2 @@
     global
    -  maxconn 100
    +  maxconn 200
    ");
    assert_eq!(content(&next, CFG), "global\n  maxconn 200\n");
    let again = next.with(vec![want(&[])]);
    assert_eq!(
        said(&again.settle().await),
        "-/+ container nginx: files./etc/haproxy.cfg changed, files./etc/same changed"
    );
}

#[tokio::test(start_paused = true)]
async fn of_bytes_that_are_no_text_sizes_and_digests_are_told() {
    let bytes = |bytes: &[u8]| ContainerFile::of(Content::Clear(FileBytes::new(bytes)));
    let stage = world().with(vec![want(&[(CFG, bytes(b"\0\x01"))])]);
    stage.settle().await;
    let plan = stage.with(vec![want(&[(CFG, bytes(b"\0\x02\x03"))])]).settle().await;
    let change = serde_json::to_value(&plan.changes[0].files).expect("JSON");
    assert_eq!((&change[0]["before"]["size"], &change[0]["after"]["size"]), (&json!(2), &json!(3)));
    assert_eq!((&change[0]["diff"], &change[0]["note"]), (&json!(null), &json!("no text")));
}

#[tokio::test(start_paused = true)]
async fn what_was_written_in_the_container_is_never_shown() {
    let stage = world().with(vec![want(&[(CFG, text("a\n"))])]);
    stage.settle().await;
    stage.fake.edit_file("nginx", CFG, "token letmein\n");
    assert!(stage.plan().await.expect("planned").steps.is_empty(), "it is not read without a reason");
    let plan = stage.with(vec![want(&[(CFG, text("b\n"))])]).settle().await;
    insta::assert_snapshot!(said(&plan), @"
    -/+ container nginx: files./etc/haproxy.cfg changed
    /etc/haproxy.cfg
    it was changed in the container, or held a secret: what is in it is not shown
    ");
    assert!(!format!("{plan:?}").contains("letmein"));
}

#[tokio::test(start_paused = true)]
async fn a_file_with_a_secret_is_mounted_out_of_a_volume_and_its_content_is_nowhere_else() {
    let stage = world().with(vec![want(&[(CFG, sealed()), ("/etc/clear", text("x"))])]);
    let plan = stage.settle().await;
    assert_eq!(content(&stage, CFG), format!("password {SECRET}"));
    assert_eq!(content(&stage, "/etc/clear"), "x");
    assert_eq!(stage.fake.volume_names(), ["pillarbox-secrets.shop.nginx.g1"]);
    let receivers: Vec<String> =
        plan.receivers.iter().map(|r| format!("{} → {}", r.secret, r.field)).collect();
    assert_eq!(receivers, ["api.pw → file /etc/haproxy.cfg"]);
    let next = stage.with(vec![want(&[(CFG, text("no password\n")), ("/etc/clear", text("x"))])]);
    let plan = next.settle().await;
    assert!(said(&plan).contains("or held a secret: what is in it is not shown"), "{}", said(&plan));
    assert_eq!(next.fake.volume_names(), [""; 0]);
    let back = next.with(vec![want(&[(CFG, sealed()), ("/etc/clear", text("x"))])]);
    let plan = back.settle().await;
    assert!(said(&plan).contains("it holds a secret and is not shown"), "{}", said(&plan));
    let body = back.fake.body("nginx").expect("there").to_string();
    let all = format!("{plan:?}{body}{}", serde_json::to_string(&plan).expect("JSON"));
    assert!(!all.contains(SECRET), "{all}");
}

#[tokio::test(start_paused = true)]
async fn with_a_read_only_root_and_below_a_tmpfs_a_file_is_mounted() {
    let stage = world().with(vec![read_only(&[(CFG, text("a"))])]);
    stage.settle().await;
    assert_eq!(content(&stage, CFG), "a");
    let mounts = stage.fake.body("nginx").expect("there")["HostConfig"]["Mounts"].clone();
    assert_eq!(
        (&mounts[1]["Type"], &mounts[1]["Target"], &mounts[1]["ReadOnly"]),
        (&json!("bind"), &json!(CFG), &json!(true))
    );
    assert_eq!(mounts[0]["Target"], "/.pillarbox-files", "a volume that nothing mounts is pruned");
    let mut below = want(&[("/run/app/x", text("b"))]);
    below.spec.fixed.insert("tmpfs".to_owned(), json!({ "/run": "" }));
    let stage = stage.with(vec![below]);
    stage.settle().await;
    assert_eq!(content(&stage, "/run/app/x"), "b");
    assert_eq!(stage.fake.volume_names(), ["pillarbox-secrets.shop.nginx.g2"]);
    let gone = Stage { items: vec![absent("nginx")], ..stage };
    gone.settle().await;
    assert_eq!(gone.fake.volume_names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_signal_is_sent_after_the_file_was_rewritten_in_the_same_container() {
    let stage = world().with(vec![want(&[(CFG, hup("a\n")), ("/etc/other", text("x"))])]);
    stage.settle().await;
    let id = stage.fake.ids();
    let next = stage.with(vec![want(&[(CFG, hup("b\n")), ("/etc/other", text("x"))])]);
    let plan = next.settle().await;
    insta::assert_snapshot!(said(&plan), @r"
    ~ container nginx: files./etc/haproxy.cfg changed | rewritten in place; it gets SIGHUP
    /etc/haproxy.cfg
    @@ -1 +1 @@
    -a
    +b
    ");
    assert_eq!(plan.changes[0].actions, [Verb::Update]);
    assert_eq!(
        steps(&plan),
        [
            "write /etc/haproxy.cfg in nginx",
            "send SIGHUP to nginx",
            "write /.pillarbox-files/signalled in nginx"
        ]
    );
    assert_eq!((content(&next, CFG).as_str(), next.fake.ids()), ("b\n", id.clone()));
    // Back to what it was made with: its labels say so, and the signal is sent all the same.
    let plan = stage.settle().await;
    assert_eq!(steps(&plan).len(), 3);
    assert_eq!((content(&stage, CFG).as_str(), stage.fake.ids()), ("a\n", id.clone()));
    // A field that is not in place replaces it, and the new one has the file as it is declared.
    let other = next.with(vec![want(&[(CFG, hup("b\n")), ("/etc/other", text("y"))])]);
    other.settle().await;
    assert_ne!(other.fake.ids(), id);
    assert_eq!(content(&other, CFG), "b\n");
}

#[tokio::test(start_paused = true)]
async fn changing_what_is_done_on_a_change_does_nothing_now() {
    let stage = world().with(vec![want(&[(CFG, text("a\n"))])]);
    stage.settle().await;
    for file in [hup("a\n"), on(OnChange::Restart, "a\n"), text("a\n")] {
        let plan = stage.with(vec![want(&[(CFG, file)])]).plan().await.expect("planned");
        assert!(plan.steps.is_empty(), "{}", crate::plan::text(&plan));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_written_in_the_container_is_put_right_where_files_are_rewritten_in_place() {
    let stage = world().with(vec![want(&[(CFG, hup("a\n"))])]);
    stage.settle().await;
    stage.fake.edit_file("nginx", CFG, "letmein\n");
    let plan = stage.settle().await;
    insta::assert_snapshot!(said(&plan), @"
    ~ container nginx: files./etc/haproxy.cfg changed | rewritten in place; it gets SIGHUP
    /etc/haproxy.cfg
    it was changed in the container, or held a secret: what is in it is not shown
    ");
    assert_eq!(content(&stage, CFG), "a\n");
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_between_its_stop_and_its_start_and_a_mounted_file_is_rewritten_too() {
    for (make, mounted) in
        [(want as fn(&[(&str, ContainerFile)]) -> DesiredContainer, false), (read_only, true)]
    {
        let stage = world().with(vec![make(&[(CFG, on(OnChange::Restart, "a\n"))])]);
        stage.settle().await;
        let id = stage.fake.ids();
        let next = stage.with(vec![make(&[(CFG, on(OnChange::Restart, "b\n"))])]);
        let plan = next.settle().await;
        let steps = steps(&plan);
        let at =
            |beginning: &str| steps.iter().position(|step| step.starts_with(beginning)).expect(beginning);
        let written = at(if mounted { "put files" } else { "write" });
        assert!(at("stop nginx") < written && written < at("start nginx"), "{steps:?}");
        assert_eq!((content(&next, CFG).as_str(), next.fake.ids()), ("b\n", id));
        assert!(
            said(&plan).starts_with(
                "~ container nginx: files./etc/haproxy.cfg changed | rewritten in place; it is restarted"
            ),
            "{}",
            said(&plan)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_with_the_new_file_brings_the_old_one_back() {
    let stage = world().with(vec![want(&[(CFG, on(OnChange::Restart, "a\n"))])]);
    stage.settle().await;
    let next = stage.with(vec![want(&[(CFG, on(OnChange::Restart, "b\n"))])]);
    let plan = next.plan().await.expect("planned");
    let wait = plan.steps.iter().find(|step| step.action.to_string() == "await nginx").expect("it waits");
    let undo: Vec<String> = wait.undo.iter().map(ToString::to_string).collect();
    assert_eq!(undo, ["stop nginx", "write /etc/haproxy.cfg in nginx", "start nginx"]);
    let stop = Interrupt::new();
    let failed = next
        .carry_out(plan, &Open, &stop, |event| matches!(event, crate::event::EventKind::StepStarted { .. } if stage.fake.changes().iter().filter(|call| *call == "start nginx").count() == 2))
        .await;
    assert!(failed.outcome.failure.is_some());
    assert_eq!((content(&next, CFG).as_str(), next.running("nginx")), ("a\n", 1));
    next.settle().await;
    assert_eq!(content(&next, CFG), "b\n");
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_was_not_sent_is_sent_by_the_next_apply() {
    let stage = world().with(vec![want(&[(CFG, hup("a\n"))])]);
    stage.settle().await;
    let next = stage.with(vec![want(&[(CFG, hup("b\n"))])]);
    live_through(&next, Trouble::HangUpBefore(2)).await;
    assert_eq!(content(&next, CFG), "b\n", "cut off between the file and the signal");
    let plan = next.settle().await;
    insta::assert_snapshot!(said(&plan), @"~ container nginx: /etc/haproxy.cfg was rewritten, and an apply that did not finish sent no signal");
    assert_eq!(steps(&plan), ["send SIGHUP to nginx", "write /.pillarbox-files/signalled in nginx"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_does_not_run_gets_its_file_and_no_signal() {
    let stage = world().with(vec![want(&[(CFG, hup("a\n"))])]);
    stage.settle().await;
    stage.fake.stop_container("nginx");
    let next = stage.with(vec![want(&[(CFG, hup("b\n"))])]);
    let plan = next.settle().await;
    let steps = steps(&plan);
    assert_eq!(steps[..2], ["write 2 files in nginx", "start nginx"], "{steps:?}");
    assert_eq!(content(&next, CFG), "b\n");
}

#[tokio::test(start_paused = true)]
async fn a_task_has_files_as_well() {
    let stage = super::tasks::world();
    let mut task = super::tasks::task(1);
    task.container.spec.files = want(&[(CFG, text("a")), ("/etc/secret", sealed())]).spec.files;
    let stage = Stage { items: vec![super::tasks::task_item(task)], ..stage };
    let plan = stage.settle().await;
    let steps = steps(&plan);
    let at = |beginning: &str| steps.iter().position(|step| step.starts_with(beginning)).expect(beginning);
    assert!(
        at("put files into volume") < at("write /etc/haproxy.cfg") && at("write") < at("start"),
        "{steps:?}"
    );
}

/// A version, and what its files are.
fn round() -> impl Strategy<Value = (u32, u8, u8)> {
    (1..=2_u32, 0..6_u8, 0..3_u8)
}

fn wanted((version, form, content): (u32, u8, u8)) -> DesiredContainer {
    let content = format!("content {content}\n");
    let mut want = match form {
        0 => want(&[]),
        1 => want(&[(CFG, text(&content))]),
        2 => {
            want(&[(CFG, hup(&content)), ("/etc/other", on(OnChange::Signal("SIGUSR1".to_owned()), "same"))])
        }
        3 => want(&[(CFG, on(OnChange::Restart, &content)), ("/etc/other", hup(&content))]),
        4 => read_only(&[(CFG, on(OnChange::Restart, &content))]),
        _ => want(&[(CFG, text(&content)), ("/etc/secret", sealed())]),
    };
    want.image = running("nginx", &format!("r.example.com/nginx:{version}")).image;
    want
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    /// Wherever applies were cut off, the next one leaves the files as they are declared, and no volume too many.
    #[test]
    fn files_are_as_declared_after_any_history(
        rounds in proptest::collection::vec((round(), trouble(1..30)), 1..5),
        end in round(),
    ) {
        runtime().block_on(async {
            let stage = world();
            for (round, trouble) in rounds {
                let now = Stage { items: vec![item(wanted(round))], ..stage.clone() };
                live_through(&now, trouble).await;
            }
            let want = wanted(end);
            let last = Stage { items: vec![item(want.clone())], ..stage };
            last.settle().await;
            assert_eq!(last.statuses(), ["nginx running"]);
            for (path, file) in &want.spec.files {
                let there = last.fake.file("nginx", path).expect("there");
                assert_eq!(there.time, file.time(), "{path}");
                if let Some(clear) = file.clear() {
                    assert_eq!(there.content, clear.bytes(), "{path}");
                }
            }
            assert_eq!(last.fake.volume_names().len(), usize::from(want.spec.has_volume()));
        });
    }
}
