//! An Engine's JSON as our types.

use super::version::{Api, can_update};
use crate::engine::{EngineError, EngineResult, ErrorKind, Inspected, Network, Summary, Tag, Volume};
use crate::observed::{Facts, Health, Image, Inspect, Platforms, RunState};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn labels(value: &Value) -> BTreeMap<String, String> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// `Warnings` of an answer; `null` where there are none.
pub(super) fn warnings(answer: &Value) -> Vec<String> {
    texts(&answer["Warnings"])
}

/// `GET /info`; `podman` is its version, if it is one.
pub(super) fn facts(info: &Value, api: Api, podman: Option<&str>) -> Facts {
    let given = info["Labels"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let split = |label: &str| {
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        (key.to_owned(), value.to_owned())
    };
    Facts {
        // Podman makes up another one for each answer.
        engine_id: if podman.is_some() { "podman".to_owned() } else { text(&info["ID"]) },
        engine_version: text(&info["ServerVersion"]),
        api_version: api.to_string(),
        os: text(&info["OSType"]),
        arch: architecture(&info["Architecture"]),
        cpus: info["NCPU"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        memory: info["MemTotal"].as_u64().unwrap_or_default(),
        hostname: text(&info["Name"]),
        labels: given.map(split).collect(),
        can_update: can_update(podman),
    }
}

/// As images name it. Docker prints what the kernel calls the machine, Podman what Go calls it.
fn architecture(info: &Value) -> String {
    match info.as_str().unwrap_or_default() {
        "x86_64" => "amd64",
        "aarch64" | "aarch64_be" => "arm64",
        "i386" | "i486" | "i586" | "i686" => "386",
        "loongarch64" => "loong64",
        name if name.starts_with("arm") && name != "arm64" => "arm",
        name => name,
    }
    .to_owned()
}

/// `GET /containers/json`.
pub(super) fn summaries(answer: &Value) -> Vec<Summary> {
    let all = answer.as_array().into_iter().flatten();
    all.map(|container| {
        // A container also goes by the names that others link it by, `/other/alias`.
        let names = container["Names"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut names = names.map(|name| name.strip_prefix('/').unwrap_or(name));
        Summary {
            id: text(&container["Id"]),
            name: names.find(|name| !name.contains('/')).unwrap_or_default().to_owned(),
            image_id: text(&container["ImageID"]),
            labels: labels(&container["Labels"]),
            status: text(&container["State"]),
            networks: keys(&container["NetworkSettings"]["Networks"]),
            network_mode: text(&container["HostConfig"]["NetworkMode"]),
            volumes: mounted(&container["Mounts"]),
        }
    })
    .collect()
}

fn keys(table: &Value) -> BTreeSet<String> {
    table.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

/// Names of mounted volumes.
fn mounted(mounts: &Value) -> BTreeSet<String> {
    let mounts = mounts.as_array().into_iter().flatten().filter(|mount| mount["Type"] == "volume");
    mounts.map(|mount| text(&mount["Name"])).filter(|name| !name.is_empty()).collect()
}

/// One of `GET /networks`, and `GET /networks/{id}`.
pub(super) fn network(answer: &Value) -> Network {
    Network {
        id: text(&answer["Id"]),
        name: text(&answer["Name"]),
        labels: labels(&answer["Labels"]),
        created_at: text(&answer["Created"]),
        inspect: Inspect::new(answer.clone()),
    }
}

/// `GET /containers/{id}/json`.
pub(super) fn inspected(answer: Value) -> Inspected {
    let name = text(&answer["Name"]);
    Inspected {
        id: text(&answer["Id"]),
        name: name.strip_prefix('/').unwrap_or(&name).to_owned(),
        image_id: text(&answer["Image"]),
        labels: labels(&answer["Config"]["Labels"]),
        state: run_state(&answer),
        inspect: Inspect::new(answer),
    }
}

fn run_state(answer: &Value) -> RunState {
    let state = &answer["State"];
    let health = match state["Health"]["Status"].as_str() {
        Some("starting") => Some(Health::Starting),
        Some("healthy") => Some(Health::Healthy),
        Some("unhealthy") => Some(Health::Unhealthy),
        // `none`, or empty with Podman: it has no health check.
        _ => None,
    };
    RunState {
        status: text(&state["Status"]),
        running: state["Running"].as_bool().unwrap_or_default(),
        restarting: state["Restarting"].as_bool().unwrap_or_default(),
        restart_count: answer["RestartCount"].as_i64().unwrap_or_default(),
        started_at: text(&state["StartedAt"]),
        finished_at: text(&state["FinishedAt"]),
        created_at: text(&answer["Created"]),
        exit_code: state["ExitCode"].as_i64().unwrap_or_default(),
        error: text(&state["Error"]),
        health,
    }
}

/// `GET /images/{name}/json`.
pub(super) fn image(answer: &Value) -> Image {
    let config = &answer["Config"];
    let test = texts(&config["Healthcheck"]["Test"]);
    Image {
        id: text(&answer["Id"]),
        repo_digests: texts(&answer["RepoDigests"]),
        labels: labels(&config["Labels"]),
        repo_tags: texts(&answer["RepoTags"]),
        volumes: config["Volumes"].as_object().into_iter().flatten().map(|(path, _)| path.clone()).collect(),
        has_health_check: test.first().is_some_and(|word| word != "NONE"),
        platform: platform(answer),
    }
}

/// `Platforms` of `GET /distribution/{name}/json`.
pub(super) fn platforms(list: &Value) -> Platforms {
    let all = list.as_array().into_iter().flatten();
    Platforms::new(all.map(|one| {
        let name = format!("{}/{}", text(&one["os"]), text(&one["architecture"]));
        match one["variant"].as_str().filter(|variant| !variant.is_empty()) {
            Some(variant) => format!("{name}/{variant}"),
            None => name,
        }
    }))
}

/// `GET /images/json`; an Engine that takes the filter in its own way may answer more than was asked for.
pub(super) fn tags(answer: &Value, folder: &str) -> Vec<Tag> {
    let images = answer.as_array().into_iter().flatten();
    let named = images.flat_map(|image| texts(&image["RepoTags"]).into_iter().map(move |name| (name, image)));
    let below = |name: &str| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let named = named.filter(|(name, _)| below(name));
    named.map(|(name, image)| Tag { name, image_id: text(&image["Id"]) }).collect()
}

/// `linux/arm/v7`; images that were imported may say nothing of it.
fn platform(image: &Value) -> Option<String> {
    let part = |field: &str| image[field].as_str().filter(|text| !text.is_empty());
    let variant = part("Variant").map(|variant| format!("/{variant}")).unwrap_or_default();
    Some(format!("{}/{}{variant}", part("Os")?, part("Architecture")?))
}

/// `POST /volumes/create`, and each of `GET /volumes`.
pub(super) fn volume(answer: &Value) -> EngineResult<Volume> {
    let created = answer["CreatedAt"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let Some(created) = created else {
        return Err(EngineError::new(ErrorKind::Other, 200, "it does not say when a volume was created"));
    };
    Ok(Volume {
        name: text(&answer["Name"]),
        labels: labels(&answer["Labels"]),
        created_at: created.as_second(),
        inspect: Inspect::new(answer.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn platforms_are_named_as_people_name_them() {
        let list = json!([
            { "architecture": "amd64", "os": "linux" },
            { "architecture": "arm", "os": "linux", "variant": "v7" },
            { "architecture": "unknown", "os": "unknown" },
        ]);
        assert_eq!(platforms(&list).to_string(), "linux/amd64, linux/arm/v7");
        assert_eq!(platforms(&Value::Null), Platforms::default());
    }

    #[test]
    fn a_linked_container_keeps_its_own_name() {
        let answer = json!([{ "Id": "1", "Names": ["/web/db", "/db"], "Labels": null }]);
        assert_eq!(summaries(&answer)[0].name, "db");
    }

    #[test]
    fn volumes_say_when_they_were_made_whatever_the_time_zone() {
        for at in ["2026-11-23T05:33:46Z", "2026-11-23T06:33:46.123+01:00"] {
            let volume = volume(&json!({ "Name": "v", "CreatedAt": at, "Labels": { "a": "b" } }));
            assert_eq!(volume.expect("a volume").created_at, 1_795_412_026, "{at}");
        }
        assert!(super::volume(&json!({ "Name": "v" })).is_err());
    }

    #[test]
    fn a_health_check_that_is_switched_off_is_none() {
        let with = |test| {
            image(&json!({ "Id": "i", "Config": { "Healthcheck": { "Test": test } } })).has_health_check
        };
        assert!(with(json!(["CMD", "true"])));
        assert!(!with(json!(["NONE"])));
        assert!(!with(json!(null)));
    }
}
