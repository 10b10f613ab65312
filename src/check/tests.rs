use crate::check;
use crate::execute::tests::stage::{Stage, running};
use crate::plan::{Action, HostPlan, Target};

async fn replacement() -> (Stage, HostPlan) {
    let stage = Stage::new();
    stage.publish(1);
    stage.publish(2);
    stage.with(vec![running("nginx", "r.example.com/nginx:1")]).settle().await;
    let image = stage.fake.body("nginx").expect("there")["Image"].clone();
    stage.fake.add_container("theirs", serde_json::json!({ "Image": image }), true);
    let stage = stage.with(vec![running("nginx", "r.example.com/nginx:2")]);
    let plan = stage.plan().await.expect("planned");
    (stage, plan)
}

/// What `check` says of a plan that was spoiled.
async fn said(spoil: impl FnOnce(&mut HostPlan, &Stage)) -> String {
    let (stage, mut plan) = replacement().await;
    spoil(&mut plan, &stage);
    let (desired, observed) = (stage.desired(), stage.observe().await);
    match check::host(&plan, &desired, &observed) {
        Ok(()) => "nothing".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

fn at(plan: &HostPlan, beginning: &str) -> usize {
    let found = plan.steps.iter().position(|step| step.action.to_string().starts_with(beginning));
    found.unwrap_or_else(|| panic!("{beginning} in {}", crate::plan::text(plan)))
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_missing_is_found() {
    let said = said(|plan, _| {
        let at = at(plan, "start nginx.g2");
        plan.steps[at].undo.clear();
    })
    .await;
    assert!(said.contains("nothing of nginx runs"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_does_not_start_the_old_one_is_found_at_every_step() {
    let (_, plan) = replacement().await;
    for index in 0..plan.steps.len() {
        let starts = plan.steps[index].undo.iter().any(|undo| matches!(undo, Action::Start { .. }));
        if !starts {
            continue;
        }
        let said =
            said(|plan, _| plan.steps[index].undo.retain(|undo| !matches!(undo, Action::Start { .. }))).await;
        assert!(said.contains("nothing of nginx runs"), "step {}: {said}", index + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_never_touched() {
    let (stage, mut plan) = replacement().await;
    let observed = stage.observe().await;
    let id = observed.containers.iter().find(|c| c.name == "theirs").expect("there").id.clone();
    let at = at(&plan, "stop nginx");
    plan.steps[at].action =
        Action::Stop { container: Target::Id(id), name: "theirs".to_owned(), timeout: None };
    let broken = check::host(&plan, &stage.desired(), &observed).expect_err("found").to_string();
    assert!(broken.contains("touches a container that is not ours"), "{broken}");
}

#[tokio::test(start_paused = true)]
async fn order_and_ids_and_expectations_are_checked() {
    type Spoil = fn(&mut HostPlan);
    let spoiled: [(&str, Spoil); 7] = [
        ("two steps have the id 1", |plan| plan.steps[1].id = 1),
        ("which is no earlier step", |plan| plan.steps[1].needs = vec![9]),
        ("comes after something was changed", |plan| {
            let pull = plan.steps.remove(0);
            plan.steps.push(pull);
        }),
        ("does not say what it expects", |plan| {
            let at = at(plan, "stop nginx");
            plan.steps[at].expects.clear();
        }),
        ("which no step pulls", |plan| drop(plan.steps.remove(0))),
        ("it runs", |plan| {
            let at = at(plan, "stop nginx");
            plan.steps.remove(at);
        }),
        ("in the end nginx is called nginx.g2", |plan| {
            let at = at(plan, "rename nginx.g2");
            plan.steps.remove(at);
        }),
    ];
    for (what, spoil) in spoiled {
        let said = said(|plan, _| spoil(plan)).await;
        assert!(said.contains(what), "{what}: {said}");
    }
    assert_eq!(said(|_, _| {}).await, "nothing");
}

#[tokio::test(start_paused = true)]
async fn networks_in_use_and_data_are_never_taken() {
    use crate::desired::{Kind, Wish};
    use crate::execute::tests::stage::{absent, item, resource, thing};
    let mut stage = Stage::new();
    stage.publish(1);
    let mut web = running("web", "r.example.com/nginx:1");
    web.spec.live.insert("networks".to_owned(), serde_json::json!({ "front": {} }));
    let data = serde_json::json!({ "/data": { "source": "data", "options": [] } });
    web.spec.fixed.insert("volumes".to_owned(), data);
    let (front, data) = (resource(Kind::Network, "front", &[]), resource(Kind::Volume, "data", &[]));
    let mut user = item(web);
    user.needs = vec![front.address.clone(), data.address.clone()];
    stage.items = vec![front, data, user];
    stage.settle().await;
    let no_front = thing(Kind::Network, "front", Wish::NetworkAbsent { name: "front".to_owned() });
    let no_data = thing(Kind::Volume, "data", Wish::VolumeAbsent { name: "data".to_owned() });
    stage.items = vec![absent("web"), no_front, no_data];
    let (plan, observed) = (stage.plan().await.expect("planned"), stage.observe().await);
    type Spoil = fn(&mut HostPlan);
    let spoiled: [(&str, Spoil); 5] = [
        ("cuts connections of what runs", |plan| {
            let at = at(plan, "remove network");
            plan.steps.swap(0, at);
        }),
        ("takes a volume that is in use", |plan| {
            let at = at(plan, "remove volume");
            plan.steps.swap(0, at);
        }),
        ("does not say what it expects", |plan| {
            let at = at(plan, "remove volume");
            plan.steps[at].expects.clear();
        }),
        ("in the end volume data is there", |plan| {
            let at = at(plan, "remove volume");
            plan.steps.remove(at);
        }),
        ("would remove a volume in its rollback", |plan| {
            let at = at(plan, "remove volume");
            plan.steps[0].undo = vec![plan.steps[at].action.clone()];
        }),
    ];
    for (what, spoil) in spoiled {
        let mut plan = plan.clone();
        spoil(&mut plan);
        let said = check::host(&plan, &stage.desired(), &observed).expect_err("found");
        let said: Vec<String> = said.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|said| said.contains(what)), "{what}: {said:?}");
    }
    stage.items.pop();
    let said = check::host(&plan, &stage.desired(), &observed).expect_err("found").to_string();
    assert!(said.contains("takes data that no state declares absent"), "{said}");
}
