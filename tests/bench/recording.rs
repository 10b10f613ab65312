//! What the Engine of the testbed answers to the calls that read a host: of itself, of an image, and of a
//! container that pillarbox made. From this one container it is said what the Engine would answer of every
//! other that a plan creates.

use crate::testbed::EngineEnv;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Answers by path, without the version of the API and without a query.
pub(crate) type Answers = BTreeMap<String, Value>;

/// What was recorded.
pub(crate) struct Recording {
    /// The version of its API.
    pub(crate) api: String,
    /// `repo:tag@digest`, as a state names the image that is there.
    pub(crate) image_name: String,
    info: Value,
    networks: Value,
    image: Value,
    image_listed: Value,
    container: Value,
    container_listed: Value,
}

impl Recording {
    /// Has pillarbox deploy one service, and asks for everything that is read of it.
    pub(crate) fn take() -> Option<Self> {
        let env = EngineEnv::initialised(&["sample"])?;
        env.add_registry();
        let (repository, digest) = env.push("serve", "web", "1.0.0");
        let image_name = format!("{repository}:1.0.0@{digest}");
        env.env.write("states/sample.toml", super::services::one("sample", "service.deployed", &image_name));
        env.env.run(&["apply", "-y"]).ok();
        let all = |path: &str| env.engine.inspect(path).as_array().cloned().unwrap_or_default();
        let ours = |one: &Value| one["Labels"]["io.pillarbox.workspace"] == env.name.as_str();
        let container_listed = all("/containers/json?all=1").into_iter().find(ours).expect("the container");
        let id = container_listed["Id"].as_str().expect("an id").to_owned();
        let container = env.engine.inspect(&format!("/containers/{id}/json"));
        let image_id = container["Image"].as_str().expect("an image").to_owned();
        let mut images = all("/images/json").into_iter();
        let image_listed = images.find(|image| image["Id"] == image_id.as_str()).expect("the image");
        Some(Self {
            api: env.engine.inspect("/version")["ApiVersion"].as_str().expect("a version").to_owned(),
            info: env.engine.inspect("/info"),
            networks: env.engine.inspect("/networks"),
            image: env.engine.inspect(&format!("/images/{repository}@{digest}/json")),
            image_name,
            image_listed,
            container,
            container_listed,
        })
    }

    /// What the Engine answers while nothing is on it but its networks.
    pub(crate) fn of_nothing(&self) -> Answers {
        Answers::from([
            ("/info".to_owned(), self.info.clone()),
            ("/networks".to_owned(), self.networks.clone()),
            ("/containers/json".to_owned(), json!([])),
            ("/images/json".to_owned(), json!([])),
            ("/volumes".to_owned(), json!({ "Volumes": [], "Warnings": null })),
        ])
    }

    /// What it answers when the steps of a host's plan have been done: containers are there as they were
    /// created and run, and tags name the image.
    pub(crate) fn of_done(&self, plan: &Value) -> Answers {
        let mut answers = self.of_nothing();
        let mut listed = Vec::new();
        let mut tags = Vec::new();
        for step in plan["steps"].as_array().into_iter().flatten() {
            let action = &step["action"];
            match action["do"].as_str() {
                Some("create") => {
                    let id = format!("{:064x}", listed.len() + 1);
                    answers.insert(format!("/containers/{id}/json"), self.container(&id, action));
                    listed.push(self.listed(&id, action));
                }
                Some("tag") => tags.push(action["name"].clone()),
                _ => {}
            }
        }
        let mut image_listed = self.image_listed.clone();
        image_listed["RepoTags"] = Value::Array(tags.clone());
        let mut image = self.image.clone();
        image["RepoTags"] = Value::Array(tags);
        answers.insert("/containers/json".to_owned(), Value::Array(listed));
        answers.insert("/images/json".to_owned(), json!([image_listed]));
        let (tagged, digest) = self.image_name.split_once('@').expect("a digest");
        let repository = tagged.rsplit_once(':').map_or(tagged, |(repository, _)| repository);
        for name in [format!("{repository}@{digest}"), image["Id"].as_str().expect("an id").to_owned()] {
            answers.insert(format!("/images/{name}/json"), image.clone());
        }
        answers
    }

    /// `GET /containers/{id}/json` of one that a step created.
    fn container(&self, id: &str, create: &Value) -> Value {
        let mut container = self.container.clone();
        container["Id"] = json!(id);
        container["Name"] = json!(format!("/{}", text(&create["name"])));
        let body = create["body"].as_object().expect("a body");
        let fields: Map<String, Value> =
            body.iter().filter(|(field, _)| field.as_str() != "HostConfig").map(both).collect();
        overlay(&mut container["Config"], &Value::Object(fields));
        overlay(&mut container["HostConfig"], &body["HostConfig"]);
        container["Config"]["Env"] = self.env(create);
        container
    }

    /// What the step gives, then what the image does.
    fn env(&self, create: &Value) -> Value {
        let given = create["env"].as_object().into_iter().flatten();
        let given = given.map(|(name, value)| json!(format!("{name}={}", text(value))));
        let from_image = self.image["Config"]["Env"].as_array().into_iter().flatten().cloned();
        given.chain(from_image).collect()
    }

    /// The same in `GET /containers/json`.
    fn listed(&self, id: &str, create: &Value) -> Value {
        let mut listed = self.container_listed.clone();
        listed["Id"] = json!(id);
        listed["Names"] = json!([format!("/{}", text(&create["name"]))]);
        overlay(&mut listed["Labels"], &create["body"]["Labels"]);
        listed
    }
}

fn both((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Puts the fields of an object over those of another, at every depth.
fn overlay(onto: &mut Value, fields: &Value) {
    match (onto, fields) {
        (Value::Object(onto), Value::Object(fields)) => {
            for (name, value) in fields {
                overlay(onto.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (onto, fields) => *onto = fields.clone(),
    }
}
