//! What a plan says of how a container was and will be.

use crate::execute::tests::stage::{SECRET, Stage, running, secret};
use crate::state::Text;
use serde_json::{Value, json};

const ONE: &str = "r.example.com/nginx:1";

fn with_env(pairs: &[(&str, Text)]) -> crate::desired::DesiredContainer {
    let mut want = running("nginx", ONE);
    want.spec.env = pairs.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    want
}

fn clear(text: &str) -> Text {
    Text::clear(text)
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_made_says_which_ports_it_opens_and_to_whom() {
    let stage = Stage::new();
    stage.publish(1);
    let mut want = running("nginx", ONE);
    want.spec.fixed.insert(
        "ports".to_owned(),
        json!({ "80/tcp": [{ "HostIp": "", "HostPort": "80" }], "81/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "81" }] }),
    );
    let stage = stage.with(vec![want.clone()]);
    let opens = json!(["0.0.0.0:80 -> 80/tcp, all interfaces", "127.0.0.1:81 -> 81/tcp, this host only"]);
    let plan = stage.plan().await.expect("planned");
    assert_eq!(plan.changes[0].after.as_ref().expect("it is made")["publishes"], opens);
    stage.settle().await;
    want.spec.env.insert("A".to_owned(), clear("1"));
    let plan = stage.with(vec![want]).plan().await.expect("planned");
    assert_eq!(plan.changes[0].after.as_ref().expect("it is replaced")["publishes"], opens);
}

#[tokio::test(start_paused = true)]
async fn a_variable_that_was_and_is_clear_is_shown_as_it_was_and_a_secret_never() {
    let stage = Stage::new();
    stage.publish(1);
    let before = with_env(&[
        ("LOG", clear("info")),
        ("GONE", clear("1")),
        ("SAME", clear("x")),
        ("NOW_CLEAR", secret("api.pw")),
        ("NOW_SECRET", clear("letmein")),
        ("SECRET_GONE", secret("api.other")),
    ]);
    let stage = stage.with(vec![before]);
    stage.settle().await;
    let after = with_env(&[
        ("LOG", clear("debug")),
        ("SAME", clear("x")),
        ("NOW_CLEAR", clear("open")),
        ("NOW_SECRET", secret("api.pw")),
    ]);
    let plan = stage.with(vec![after]).plan().await.expect("planned");
    let change = &plan.changes[0];
    let (before, after) =
        (change.before.as_ref().expect("it is there"), change.after.as_ref().expect("it stays"));
    let env = |fields: &std::collections::BTreeMap<String, Value>| -> Vec<(String, Value)> {
        let env = fields.iter().filter(|(field, _)| field.starts_with("env."));
        env.map(|(field, value)| (field.clone(), value.clone())).collect()
    };
    insta::assert_debug_snapshot!((env(before), env(after)), @r#"
    (
        [
            (
                "env.GONE",
                String("1"),
            ),
            (
                "env.LOG",
                String("info"),
            ),
        ],
        [
            (
                "env.LOG",
                String("debug"),
            ),
            (
                "env.NOW_CLEAR",
                String("open"),
            ),
            (
                "env.NOW_SECRET",
                String("(sealed 9f2c)"),
            ),
        ],
    )
    "#);
    let whole = serde_json::to_string(&*plan).expect("JSON");
    for secret in [SECRET, "s3cr3t", "letmein"] {
        assert!(!whole.contains(secret), "{whole}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_replacement_only_what_changes_is_listed() {
    let stage = Stage::new();
    stage.publish(1);
    let mut want = with_env(&[("LOG", clear("info")), ("SAME", clear("x"))]);
    want.spec.fixed.insert("hostname".to_owned(), json!("web"));
    want.spec.live.insert("memory".to_owned(), json!(64 << 20));
    want.spec.fixed.insert("limits.memory".to_owned(), json!(true));
    let stage = stage.with(vec![want.clone()]);
    stage.settle().await;
    want.spec.env.insert("LOG".to_owned(), clear("debug"));
    want.spec.live.insert("memory".to_owned(), json!(128 << 20));
    let plan = stage.with(vec![want]).plan().await.expect("planned");
    let after = plan.changes[0].after.as_ref().expect("it is replaced");
    let fields: Vec<&str> = after.keys().map(String::as_str).collect();
    assert_eq!(fields, ["env.LOG", "generation", "image", "memory", "publishes", "running", "version"]);
}
