//! The desired state as data, for `pillarbox compile`.

use super::{Desired, DesiredContainer, DesiredState, Item, PullPolicy, Run};
use crate::name::ContainerName;
use crate::problem::Place;
use crate::state::Text;
use serde_json::{Map, Value, json};

/// Version of the printed form; a reader refuses an unknown major and ignores unknown fields.
const FORMAT_VERSION: &str = "1.0";

impl Desired {
    /// The desired state of the host as JSON. A secret is named by its place and id, never opened.
    pub fn to_json(&self) -> Value {
        json!({
            "format_version": FORMAT_VERSION,
            "workspace": self.workspace.name.as_str(),
            "host": self.host.as_str(),
            "items": self.items.iter().map(item).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

fn item(item: &Item) -> Value {
    let mut shown = json!({ "address": item.address.to_string() });
    let want = match &item.want {
        DesiredState::ImagePulled { image, force } => {
            json!({ "state": "pulled", "image": image.to_string(), "force": force })
        }
        DesiredState::ImageAbsent { image } => json!({ "state": "absent", "image": image.to_string() }),
        DesiredState::ContainerAbsent { name, stop_timeout } => {
            json!({ "state": "absent", "name": name.as_str(), "stop_timeout": stop_timeout })
        }
        DesiredState::Surplus { service, keep, stop_timeout } => {
            let keep: Vec<&str> = keep.iter().map(ContainerName::as_str).collect();
            json!({ "state": "no more than", "name": service.as_str(), "containers": keep, "stop_timeout": stop_timeout })
        }
        DesiredState::Container(want) => container(want),
        DesiredState::Task(task) => {
            let mut shown = container(&task.container);
            shown["state"] = json!("ran");
            shown["timeout"] = json!(task.timeout);
            shown["on"] = json!(task.on.word());
            shown
        }
        DesiredState::Network(want) | DesiredState::Volume(want) => {
            json!({ "state": "present", "name": want.name, "options": want.spec.fixed, "fingerprint": want.spec.fingerprint() })
        }
        DesiredState::NetworkAbsent { name } | DesiredState::VolumeAbsent { name } => {
            json!({ "state": "absent", "name": name })
        }
        DesiredState::LeftOut { why } => json!({ "state": "left out", "why": why }),
    };
    let declared: Vec<Value> =
        item.declared.iter().map(|(id, place)| json!({ "id": id, "at": place.to_string() })).collect();
    let needs: Vec<String> = item.needs.iter().map(ToString::to_string).collect();
    if let (Value::Object(shown), Value::Object(want)) = (&mut shown, want) {
        shown.extend(want);
        shown.insert("declared".to_owned(), Value::Array(declared));
        shown.insert("needs".to_owned(), json!(needs));
    }
    shown
}

fn container(want: &DesiredContainer) -> Value {
    let state = match want.run {
        Run::Created => "installed",
        Run::Running => "running",
        Run::Stopped => "stopped",
    };
    let pull = match want.pull {
        PullPolicy::Missing => "missing",
        PullPolicy::Never => "never",
    };
    let spec = &want.spec;
    let options = spec.fixed.iter().filter(|(field, _)| !field.starts_with(super::option::LIMITS));
    let options = options.chain(&spec.live).chain(&spec.aside);
    let mut options: Vec<(&String, &Value)> = options.collect();
    options.sort_by_key(|(field, _)| *field);
    let options: Map<String, Value> =
        options.into_iter().map(|(field, value)| (field.clone(), value.clone())).collect();
    let env: Map<String, Value> = spec.env.iter().map(|(name, text)| (name.clone(), masked(text))).collect();
    let secrets = spec.secrets.iter().map(|(name, file)| (name.clone(), file.shown(masked(&file.value))));
    let secrets: Map<String, Value> = secrets.collect();
    let files = spec.files.iter().map(|(path, file)| (path.clone(), file.shown()));
    let files: Map<String, Value> = files.collect();
    let places = |places: &[Place]| places.iter().map(|place| json!(place.to_string())).collect::<Vec<_>>();
    let lines = want.sources.iter().filter(|(field, _)| !field.starts_with(super::option::LIMITS));
    let sources: Map<String, Value> =
        lines.map(|(field, lines)| (field.clone(), Value::Array(places(lines)))).collect();
    json!({
        "state": state,
        "name": want.name.as_str(),
        "image": want.image.to_string(),
        "pull": pull,
        "options": options,
        "env": env,
        "secrets": secrets,
        "files": files,
        "stop_timeout": want.stop_timeout,
        "monitor": want.monitor,
        "start_timeout": want.start_timeout,
        "fingerprint": spec.fingerprint(),
        "sources": sources,
    })
}

/// Clear text as it is; with secrets an object that shows `(sealed 9f2c)` in their place.
fn masked(text: &Text) -> Value {
    if let Some(clear) = text.as_clear() {
        return clear.into();
    }
    let secrets = text.secrets().map(|secret| {
        json!({
            "key": secret.origin.key.to_string(),
            "file": format!("pillar/{}", secret.origin.file),
            "id": secret.id,
            "encoders": secret.encoders,
        })
    });
    json!({ "sealed": text.to_string(), "secrets": secrets.collect::<Vec<_>>() })
}
