use super::*;
use crate::execute::tests::stage::{Stage, running};
use crate::problem::Code;

async fn plan_for(version: u32) -> Plan {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    stage.with(vec![running("nginx", "r.example.com/nginx:1")]).settle().await;
    let stage = stage.with(vec![running("nginx", &format!("r.example.com/nginx:{version}"))]);
    let workspace = stage.desired().workspace.name;
    Plan::new(workspace, vec![stage.plan().await.expect("planned")])
}

/// What is said of a stored plan that was changed by `change`.
async fn said(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let fresh = plan_for(2).await;
    let mut stored = serde_json::to_value(&fresh).expect("JSON");
    change(&mut stored);
    match compare(&stored, &fresh) {
        Ok(()) => Vec::new(),
        Err(problems) => {
            assert!(
                problems.iter().all(|problem| problem.code == Code::Stale || problem.what.contains("format"))
            );
            problems.iter().map(|problem| problem.what.clone()).collect()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_still_holds_is_accepted_and_so_are_fields_of_a_newer_version() {
    assert_eq!(said(|_| {}).await, Vec::<String>::new());
    let newer = said(|stored| {
        stored["format_version"] = "1.7".into();
        stored["made_by"] = "somebody".into();
        stored["hosts"][0]["weather"] = "fine".into();
        stored["hosts"][0]["steps"][0]["colour"] = "red".into();
    })
    .await;
    assert_eq!(newer, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn another_major_version_is_refused() {
    for version in ["2.0", "", "x"] {
        let said = said(|stored| stored["format_version"] = version.into()).await;
        assert!(said[0].starts_with(&format!("the plan has format `{version}`")), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_moved_is_named_with_host_thing_and_field() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 8] = [
        ("the plan is for another workspace", |s| s["workspace"] = "other".into()),
        ("other hosts, or in another order", |s| s["hosts"][0]["host"] = "web9".into()),
        ("web1: another Engine answers there", |s| s["hosts"][0]["engine_id"] = "X".into()),
        ("web1: container nginx: after: version", |s| {
            s["hosts"][0]["changes"][0]["after"]["version"] = "9".into();
        }),
        ("web1: container x is in no plan any more", |s| {
            s["hosts"][0]["changes"][0]["address"] = "container x".into();
        }),
        ("web1: number of steps", |s| drop(s["hosts"][0]["steps"].as_array_mut().expect("a list").pop())),
        ("web1: step 3 of `replace nginx`: action: body: HostConfig: Privileged", |s| {
            s["hosts"][0]["steps"][2]["action"]["body"]["HostConfig"]["Privileged"] = true.into();
        }),
        ("web1: step 4 of `replace nginx`: expects 1: container: id", |s| {
            s["hosts"][0]["steps"][3]["expects"][0]["container"]["id"] = "0".into();
        }),
    ];
    for (what, change) in cases {
        let said = said(change).await;
        assert!(said.iter().any(|said| *said == format!("the plan is stale: {what}")), "{what}: {said:?}");
    }
}
