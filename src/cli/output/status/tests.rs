use super::*;
use crate::desired::Fingerprint;
use crate::name::{HostName, Owner, WorkspaceName};
use crate::observed::{Facts, Inspect};
use crate::plan::{Cause, HostPlan, PlanBody};
use std::collections::BTreeMap;

fn container(name: &str, ours: bool, status: &str, health: Option<Health>) -> Container {
    let ownership = Ownership {
        service: name.to_owned(),
        instance: format!("{name}.g3"),
        generation: 3,
        spec: Fingerprint("v1:sha256:0".to_owned()),
        fields: BTreeMap::new(),
        image: String::new(),
        version: "1.8.2".to_owned(),
        tasks: BTreeMap::new(),
    };
    Container {
        id: "1".to_owned(),
        name: name.to_owned(),
        image_id: String::new(),
        ours: ours.then_some(ownership),
        impostor: false,
        renamed: None,
        helper: None,
        compose: None,
        state: RunState {
            status: status.to_owned(),
            running: status == "running",
            restarting: false,
            restart_count: 0,
            started_at: String::new(),
            finished_at: String::new(),
            created_at: String::new(),
            exit_code: 137,
            error: String::new(),
            health,
        },
        holds: crate::observed::Holds::default(),
        inspect: Inspect::new(serde_json::Value::Null),
    }
}

#[test]
fn ours_are_shown_with_what_is_pending_and_strangers_are_not() {
    let observed = Observed {
        files: BTreeMap::new(),
        host: HostName::parse("web1").expect("a name"),
        facts: Facts {
            engine_id: "ID".to_owned(),
            engine_version: "20.10.24".to_owned(),
            api_version: "1.41".to_owned(),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            cpus: 2,
            memory: 1,
            hostname: "web1".to_owned(),
            labels: BTreeMap::new(),
            can_update: true,
            runs_health_checks: true,
            rootless: false,
        },
        anonymous: BTreeMap::new(),
        containers: vec![
            container("stranger", false, "running", None),
            container("nginx", true, "running", Some(Health::Healthy)),
            container("api", true, "exited", None),
            Container { name: "api.g3.kept".to_owned(), ..container("api", true, "exited", None) },
        ],
        images: BTreeMap::new(),
        resolved: BTreeMap::new(),
        unresolved: BTreeMap::new(),
        own_volumes: crate::observed::OwnVolumes::default(),
        networks: Vec::new(),
        network_names: None,
        volumes: Vec::new(),
        adopted: BTreeMap::new(),
        keeps: BTreeMap::new(),
        kept_images: BTreeMap::new(),
    };
    let change = |address: &str, verb, cause| Change {
        address: address.to_owned(),
        actions: vec![verb],
        cause: vec![cause],
        before: None,
        after: None,
        files: Vec::new(),
    };
    let changes = vec![
        change("container nginx", Verb::Unchanged, Cause::AsWanted),
        change("container api", Verb::Update, Cause::NotRunning { status: "exited (137)".to_owned() }),
        change("container worker", Verb::Create, Cause::Missing),
    ];
    let body = PlanBody { changes, notes: vec!["a note".to_owned()], ..PlanBody::default() };
    let engine = "unix:///run/docker.sock".to_owned();
    let plan = HostPlan::new(observed.host.clone(), engine, "ID".to_owned(), body);
    let engine = plan.engine.clone();
    let desired = Desired {
        workspace: Owner::from(WorkspaceName::parse("shop").expect("a name")),
        host: observed.host.clone(),
        items: Vec::new(),
        notes: Vec::new(),
        partial: false,
    };
    let told = Told { plan: Ok(plan), untold: Vec::new() };
    let status = [HostStatus::of(&observed, &desired, engine, &told)];
    assert_eq!(status[0].verdict(), Verdict::Pending);
    insta::assert_snapshot!(anstream::adapter::strip_str(&text(&status, None, false)).to_string(), @r"
    web1  unix:///run/docker.sock, Engine 20.10.24
      CONTAINER  VERSION  GENERATION  STATE             PENDING
      api        1.8.2    3           exited (137)      it is exited (137)
      nginx      1.8.2    3           running, healthy
      pending container worker: will be created
      note a note
    ");
    let narrow = |width| anstream::adapter::strip_str(&text(&status, Some(width), false)).to_string();
    insta::assert_snapshot!(narrow(60), @r"
    web1  unix:///run/docker.sock, Engine 20.10.24
      CONTAINER  VERSION  GENERATION  STATE
      api        1.8.2    3           exited (137)
      nginx      1.8.2    3           running, healthy
      pending container api: it is exited (137)
      pending container worker: will be created
      note a note
    ");
    insta::assert_snapshot!(narrow(40), @r"
    web1
      unix:///run/docker.sock, Engine
      20.10.24
      CONTAINER  VERSION  STATE
      api        1.8.2    exited (137)
      nginx      1.8.2    running, healthy
      pending container api: it is exited
        (137)
      pending container worker: will be
        created
      note a note
    ");
    assert!(!narrow(30).contains("VERSION"), "{}", narrow(30));
    let all = anstream::adapter::strip_str(&text(&status, None, true)).to_string();
    assert!(all.contains("api.g3.kept") && !text(&status, None, false).contains("kept"), "{all}");
}
