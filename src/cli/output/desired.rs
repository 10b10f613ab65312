//! What is wanted on a host, as data; a secret is `(sealed 9f2c)`.

use crate::desired::{Desired, DesiredContainer, DesiredState, Item, PullPolicy, Reaction, Requisites, Run};
use serde_json::{Map, Value, json};

/// The desired state of one host.
pub(in crate::cli) fn json(desired: &Desired) -> Value {
    json!({
        "host": desired.host,
        "states": desired.items.iter().map(item).collect::<Vec<_>>(),
        "notes": desired.notes,
    })
}

fn item(item: &Item) -> Value {
    let declared: Vec<Value> =
        item.declared.iter().map(|(id, place)| json!({ "id": id, "place": place.to_string() })).collect();
    let needs: Vec<String> = item.needs.iter().map(ToString::to_string).collect();
    let mut fields = Map::new();
    fields.insert("address".to_owned(), item.address.to_string().into());
    match &item.want {
        DesiredState::ImagePulled { image, force } => {
            fields.insert("wish".to_owned(), "pulled".into());
            fields.insert("image".to_owned(), image.to_string().into());
            fields.insert("force".to_owned(), (*force).into());
        }
        DesiredState::ImageAbsent { image } => {
            fields.insert("wish".to_owned(), "absent".into());
            fields.insert("image".to_owned(), image.to_string().into());
        }
        DesiredState::Surplus { service, keep, stop_timeout } => {
            let keep: Vec<String> = keep.iter().map(ToString::to_string).collect();
            fields.insert("wish".to_owned(), "no more than".into());
            fields.insert("name".to_owned(), service.to_string().into());
            fields.insert("containers".to_owned(), json!(keep));
            fields.insert("stop_timeout".to_owned(), json!(stop_timeout));
        }
        DesiredState::Container(want) => container(want, &mut fields),
        DesiredState::Task(task) => {
            container(&task.container, &mut fields);
            fields.insert("wish".to_owned(), "ran".into());
            fields.insert("timeout".to_owned(), json!(task.timeout));
            fields.insert("on".to_owned(), json!(task.on.word()));
        }
        DesiredState::ContainerAbsent { name, stop_timeout } => {
            fields.insert("wish".to_owned(), "absent".into());
            fields.insert("name".to_owned(), name.to_string().into());
            fields.insert("stop_timeout".to_owned(), json!(stop_timeout));
        }
        DesiredState::Network(want) | DesiredState::Volume(want) => {
            fields.insert("wish".to_owned(), "present".into());
            fields.insert("name".to_owned(), want.name.as_str().into());
            fields.insert("options".to_owned(), json!(want.spec.fixed));
            fields.insert("spec".to_owned(), json!(want.spec.fingerprint()));
        }
        DesiredState::NetworkAbsent { name } | DesiredState::VolumeAbsent { name } => {
            fields.insert("wish".to_owned(), "absent".into());
            fields.insert("name".to_owned(), name.as_str().into());
        }
        DesiredState::LeftOut { why } => {
            fields.insert("wish".to_owned(), "left out".into());
            fields.insert("why".to_owned(), why.as_str().into());
        }
    }
    requisites(&item.requisites, &mut fields);
    fields.insert("needs".to_owned(), json!(needs));
    fields.insert("declared".to_owned(), json!(declared));
    fields.into()
}

/// `watch` and `onchanges`, where they are declared.
fn requisites(requisites: &Requisites, fields: &mut Map<String, Value>) {
    if !requisites.watch.is_empty() {
        let watch = requisites.watch.iter().map(|watch| {
            let reaction = match &watch.reaction {
                Reaction::Replace => "replace".to_owned(),
                Reaction::Restart => "restart".to_owned(),
                Reaction::Signal(signal) => format!("signal:{signal}"),
            };
            let things: Vec<String> = watch.things.iter().map(ToString::to_string).collect();
            json!({ "id": watch.id, "things": things, "reaction": reaction, "place": watch.place.to_string() })
        });
        fields.insert("watch".to_owned(), watch.collect());
    }
    if !requisites.onchanges.is_empty() {
        let things: Vec<String> = requisites.onchanges.iter().map(ToString::to_string).collect();
        fields.insert("onchanges".to_owned(), json!(things));
    }
}

fn container(want: &DesiredContainer, fields: &mut Map<String, Value>) {
    let run = match want.run {
        Run::Created => "installed",
        Run::Running => "running",
        Run::Stopped => "stopped",
    };
    let pull = match want.pull {
        PullPolicy::Missing => "missing",
        PullPolicy::Never => "never",
    };
    let env: Map<String, Value> =
        want.spec.env.iter().map(|(name, text)| (name.clone(), text.to_string().into())).collect();
    let options: Map<String, Value> = want
        .spec
        .fixed
        .iter()
        .chain(&want.spec.live)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let secrets = want.spec.secrets.iter();
    let secrets: Map<String, Value> =
        secrets.map(|(name, file)| (name.clone(), file.shown(file.value.to_string().into()))).collect();
    let files = want.spec.files.iter();
    let files: Map<String, Value> = files.map(|(path, file)| (path.clone(), file.shown())).collect();
    for (name, value) in [
        ("wish", json!(run)),
        ("name", json!(want.name)),
        ("image", json!(want.image.to_string())),
        ("pull", json!(pull)),
        ("env", env.into()),
        ("secrets", secrets.into()),
        ("files", files.into()),
        ("options", options.into()),
        ("stop_timeout", json!(want.stop_timeout)),
        ("monitor", json!(want.monitor)),
        ("start_timeout", json!(want.start_timeout)),
        ("spec", json!(want.spec.fingerprint())),
    ] {
        fields.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Address, Kind, Spec};
    use crate::name::{ContainerName, HostName, ImageRef, KeyPath, WorkspaceName};
    use crate::pillar::{Origin, SealId};
    use crate::problem::Place;
    use crate::state::{SecretRef, Segment, Text};
    use std::collections::BTreeMap;

    #[test]
    fn a_container_shows_its_options_and_masks_its_secrets() {
        let secret = SecretRef {
            origin: Origin { file: "apps.toml".to_owned(), key: KeyPath::parse("api.db").expect("a key") },
            id: SealId::parse("9f2c41d70b6e83aa").expect("an id"),
            encoders: Vec::new(),
        };
        let url = Text::from_segments([Segment::Clear("db://".to_owned()), Segment::Secret(secret)]);
        let want = DesiredContainer {
            name: ContainerName::parse("api").expect("a name"),
            run: Run::Running,
            image: ImageRef::parse("registry.example.com/api:1.0").expect("a reference"),
            pull: PullPolicy::Missing,
            spec: Spec {
                fixed: BTreeMap::from([("user".to_owned(), json!("app"))]),
                env: BTreeMap::from([("DB_URL".to_owned(), url)]),
                ..Spec::default()
            },
            stop_timeout: None,
            monitor: 5,
            start_timeout: None,
            replica: None,
            sources: BTreeMap::new(),
        };
        let desired = Desired {
            workspace: WorkspaceName::parse("shop").expect("a name").into(),
            host: HostName::parse("web1").expect("a name"),
            items: vec![Item {
                address: Address { kind: Kind::Container, name: "api".to_owned() },
                want: DesiredState::Container(Box::new(want)),
                declared: vec![("api_up".to_owned(), Place::new("states/api.toml", 3))],
                needs: Vec::new(),
                gate: None,
                requisites: Requisites::default(),
            }],
            notes: Vec::new(),
            partial: false,
        };
        let state = &json(&desired)["states"][0];
        assert_eq!(state["address"], "container api");
        assert_eq!(state["env"]["DB_URL"], "db://(sealed 9f2c)");
        assert_eq!(state["options"]["user"], "app");
        assert_eq!(state["declared"][0]["place"], "states/api.toml:3");
    }
}
