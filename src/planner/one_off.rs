//! The container of a one-off command: made like one of a service, and found by no client of it.

use super::decide::restart::no_restart;
use super::decide::source::Source;
use super::lower::files;
use super::lower::secrets::Files;
use super::lower::steps::{Group, Steps};
use crate::desired::{DesiredContainer, Spec};
use crate::name::{ImageRef, Owner};
use crate::observed::Label;
use crate::plan::{Action, Cause, Create, Step, Target};
use crate::problem::{Problem, Result, escaped};
use crate::state::Text;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a person asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OneOff {
    /// Tells this run from others.
    pub token: String,
    /// Program and arguments; empty: as declared.
    pub command: Vec<String>,
    /// It gets a terminal.
    pub tty: bool,
    /// It gets input.
    pub input: bool,
    /// As whom it runs, if not as declared.
    pub user: Option<String>,
    /// In which folder, if not as declared.
    pub folder: Option<String>,
    /// Further variables.
    pub env: BTreeMap<String, String>,
    /// The Engine removes it at its end.
    pub remove: bool,
}

/// How it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOffSteps {
    /// The name of its container.
    pub name: String,
    /// Steps before it is started.
    pub prepare: Vec<Step>,
    /// The volume with its secrets, if it has any; also the name of the container that fills it.
    pub secrets: Option<String>,
}

/// Plans a one-off command. `image` is the label of what runs, `repo@sha256:…` or `id:sha256:…`.
///
/// # Errors
/// Where that is no such label.
pub fn one_off(owner: &Owner, want: &DesiredContainer, image: &str, asked: &OneOff) -> Result<OneOffSteps> {
    let source = source(image)?;
    let service = want.service().as_str();
    let spec = apart(&want.spec);
    let whose = format!("{service}.run-{}", asked.token);
    let name = format!("pillarbox-run.{}.{service}.{}", owner.scope(), asked.token);
    let mut steps = Steps::default();
    let cause = Cause::Other("a one-off command".to_owned());
    let mut group = Group::new(&mut steps, format!("run {service}"), cause, Vec::new());
    let (mounted, written) = files::apart(&spec, |path| spec.is_mounted(path));
    let files = Files::new(owner, service, whose, &spec.secrets, mounted, &source);
    let mut undo: Vec<Action> = Vec::new();
    if let Some(files) = &files {
        group.push(files.create_volume(), Vec::new());
        undo = vec![Action::RemoveOwnVolume { name: files.volume.clone() }];
        let filler = Target::CreatedBy(group.push(files.create_filler(), undo.clone()));
        undo.insert(0, files.discard(filler.clone()));
        // On a disk: only a task may have them in memory.
        group.push(files.put(filler.clone()), undo.clone());
        group.push(files.discard(filler), undo.clone());
        undo.remove(0);
    }
    let mut body = body(owner, service, &spec, asked);
    if let Some(files) = &files {
        files.mount(&mut body);
    }
    let mut env = spec.env.clone();
    env.extend(asked.env.iter().map(|(name, value)| (name.clone(), Text::clear(value.clone()))));
    let create = Create {
        name: name.clone(),
        service: service.to_owned(),
        image: source.create_from.clone(),
        digest: source.pull.as_ref().and_then(|image| image.digest.clone()),
        body,
        env,
        mounted: files.as_ref().map(Files::mounts).unwrap_or_default(),
    };
    let container = Target::CreatedBy(group.push(Action::Create(Box::new(create)), undo.clone()));
    undo.insert(0, Action::Discard { container: container.clone(), name: name.clone() });
    if !written.is_empty() {
        let (container, name) = (container.clone(), name.clone());
        group.push(Action::WriteFiles { container, name, files: written }, undo.clone());
    }
    for (network, endpoint) in spec.further_networks() {
        let (container, name) = (container.clone(), name.clone());
        group.push(Action::Connect { container, name, network, endpoint }, undo.clone());
    }
    let secrets = files.map(|files| files.volume);
    Ok(OneOffSteps { name, prepare: steps.finish(), secrets })
}

/// From what a container was made that carries this label.
fn source(label: &str) -> Result<Source> {
    let wrong = || Problem::failed(format!("the image {} cannot be used", escaped(label)));
    if let Some(id) = label.strip_prefix("id:") {
        let version = id.rsplit(':').next().unwrap_or_default();
        let version = version.get(..12).unwrap_or(version).to_owned();
        return Ok(Source { label: label.to_owned(), create_from: id.to_owned(), pull: None, version });
    }
    let image = ImageRef::parse(label).map_err(|problems| problems.map(|_| wrong()))?;
    let digest = image.digest.as_ref().ok_or_else(wrong)?;
    let version = digest.short().to_owned();
    let pull = Some(image.by_digest(digest));
    Ok(Source { label: label.to_owned(), create_from: image.to_string(), pull, version })
}

/// The spec without what makes a container the service: no name and no address of its own in a network, no port.
fn apart(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    let networks = spec.live.get_mut("networks").and_then(Value::as_object_mut);
    for endpoint in networks.into_iter().flat_map(|networks| networks.values_mut()) {
        if let Some(endpoint) = endpoint.as_object_mut() {
            for own in ["Aliases", "IPAMConfig", "MacAddress"] {
                endpoint.remove(own);
            }
        }
    }
    spec
}

fn body(owner: &Owner, service: &str, spec: &Spec, asked: &OneOff) -> Value {
    let mut body = spec.create_body();
    if let Some(body) = body.as_object_mut() {
        // A balancer reads labels; two containers cannot have one address.
        for own in ["ExposedPorts", "Labels", "MacAddress", "Hostname"] {
            body.shift_remove(own);
        }
    }
    if let Some(host) = body["HostConfig"].as_object_mut() {
        for own in ["PortBindings", "PublishAllPorts"] {
            host.shift_remove(own);
        }
    }
    body["HostConfig"]["RestartPolicy"] = no_restart();
    body["HostConfig"]["AutoRemove"] = json!(asked.remove);
    body["Healthcheck"] = json!({ "Test": ["NONE"] });
    body["Tty"] = json!(asked.tty);
    body["OpenStdin"] = json!(asked.input);
    body["StdinOnce"] = json!(asked.input);
    if !asked.command.is_empty() {
        body["Cmd"] = json!(asked.command);
    }
    if let Some(user) = &asked.user {
        body["User"] = json!(user);
    }
    if let Some(folder) = &asked.folder {
        body["WorkingDir"] = json!(folder);
    }
    for (label, value) in Label::of(owner).chain([(Label::RUN, service.to_owned())]) {
        body["Labels"][label] = json!(value);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{PullPolicy, Run};
    use crate::name::{ContainerName, WorkspaceName};

    fn want() -> DesiredContainer {
        let mut spec = Spec::default();
        spec.live.insert(
            "networks".to_owned(),
            json!({ "back": { "Aliases": ["api"], "IPAMConfig": { "IPv4Address": "10.0.0.5" } }, "front": {} }),
        );
        spec.live.insert("restart".to_owned(), json!("always"));
        spec.fixed.insert("labels.traefik.enable".to_owned(), json!("true"));
        spec.fixed.insert("command".to_owned(), json!(["serve"]));
        spec.env.insert("MODE".to_owned(), Text::clear("production".to_owned()));
        DesiredContainer {
            name: ContainerName::parse("api").expect("a name"),
            run: Run::Running,
            image: ImageRef::parse("r.example.com/api:1").expect("an image"),
            pull: PullPolicy::Missing,
            spec,
            stop_timeout: None,
            monitor: 10,
            start_timeout: None,
            sources: BTreeMap::new(),
            replica: None,
        }
    }

    #[test]
    fn a_one_off_container_is_like_the_service_and_not_found_as_it() {
        let owner = Owner::from(WorkspaceName::parse("shop").expect("a name"));
        let image = format!("r.example.com/api@sha256:{}", "a".repeat(64));
        let asked = OneOff {
            token: "5f3a".to_owned(),
            command: vec!["migrate".to_owned()],
            env: BTreeMap::from([("MODE".to_owned(), "test".to_owned())]),
            remove: true,
            ..OneOff::default()
        };
        let planned = one_off(&owner, &want(), &image, &asked).expect("planned");
        assert_eq!(planned.name, "pillarbox-run.shop.api.5f3a");
        let Action::Create(create) = &planned.prepare[0].action else { panic!("{planned:#?}") };
        assert_eq!(create.image, image);
        assert_eq!(create.env["MODE"].as_clear(), Some("test"));
        assert_eq!(create.body["Cmd"], json!(["migrate"]));
        assert_eq!(
            create.body["Labels"],
            json!({ "io.pillarbox.workspace": "shop", "io.pillarbox.run": "api" })
        );
        assert_eq!(create.body["HostConfig"]["RestartPolicy"]["Name"], "no");
        let text = create.body.to_string();
        assert!(!text.contains("Aliases") && !text.contains("10.0.0.5"), "{text}");
        let networks: Vec<String> = planned.prepare.iter().map(|step| step.action.to_string()).collect();
        assert_eq!(networks[1], "connect pillarbox-run.shop.api.5f3a to front");
    }

    #[test]
    fn an_image_is_named_by_its_digest_or_its_id() {
        let id = source(&format!("id:sha256:{}", "b".repeat(64))).expect("an id");
        assert_eq!((id.pull, id.version.as_str()), (None, "bbbbbbbbbbbb"));
        assert!(source("r.example.com/api:1").is_err() && source("").is_err());
    }
}
