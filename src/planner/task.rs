//! Tasks: run once for an image and a spec, on one of the hosts that declare them so.
//!
//! That a task ran is remembered by an empty volume on each of those hosts, and by the label `.tasks` of
//! every instance that requires it and was created after it. Its container is kept until it is known to
//! have succeeded; from it alone follows what an apply that did not finish left:
//!
//! | found | then |
//! |---|---|
//! | remembered | nothing |
//! | a container that runs as this | wait for it, remember, remove it |
//! | one that ended with 0 as this | remember, remove it |
//! | one that failed, or never ran | remove it; run anew |
//! | one that runs as another | wait for it: two are never under way at once; then run |
//! | one that did not end in time | stop it if it still runs, remove it; run anew |

use super::assign::Part;
use super::context::PlanContext;
use super::images::Source;
use super::instances::runs;
use super::secrets::{self, Files};
use super::steps::Group;
use crate::desired::{Item, Kind, TaskWish, Wish};
use crate::observed::{Container, Errand, Label, OwnVolumes};
use crate::pillar::gate::Hold;
use crate::plan::{Action, Cause, Create, STOPPED, Target};
use crate::problem::{Result, escaped};
use serde_json::json;
use std::collections::BTreeMap;

/// How many versions of a task are remembered.
const REMEMBERED: usize = 50;

/// The decision for one task.
pub(super) struct Errands<'a> {
    pub(super) wish: &'a TaskWish,
    pub(super) source: Source,
    pub(super) fingerprint: String,
    /// Its containers on this host.
    found: Vec<&'a Container>,
    pub(super) turn: Turn,
}

/// What becomes of it here.
pub(super) enum Turn {
    /// It ran.
    Known,
    /// It ran: so say the instances that were made after it.
    Labelled,
    /// Another host runs it, or knows.
    Part(Part),
    /// It runs here.
    Here(Here),
}

/// What is there of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    /// Nothing that counts.
    Anew,
    /// It runs.
    Runs,
    /// It ended with 0.
    Ended,
}

impl<'a> Errands<'a> {
    /// Decides.
    ///
    /// # Errors
    /// Where its image is not known.
    pub(super) fn of(context: &PlanContext<'a>, wish: &'a TaskWish) -> Result<Self> {
        let source = Source::of(context, &wish.container)?;
        let fingerprint = wish.fingerprint(&source.label);
        let name = wish.container.name.as_str();
        let mut found: Vec<&Container> = context.of_task(name).collect();
        found.retain(|container| container.state.status != "removing");
        found.sort_by_key(|container| container.id.clone());
        let turn = if context.has_run(name, &fingerprint) {
            Turn::Known
        } else if let Some(state) = found.iter().filter(|it| runs_as(it, &fingerprint)).find_map(|it| of(it))
        {
            Turn::Here(state)
        } else if context.is_labelled(name, &fingerprint) {
            Turn::Labelled
        } else {
            match context.options.tasks.get(name) {
                Some(part) => Turn::Part(part.clone()),
                None => Turn::Here(Here::Anew),
            }
        };
        Ok(Self { wish, source, fingerprint, found, turn })
    }

    /// Whether its container is created.
    pub(super) fn is_created(&self) -> bool {
        matches!(self.turn, Turn::Here(Here::Anew))
    }

    /// Whether this host knows that it ran.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.turn, Turn::Known | Turn::Labelled)
    }

    /// Whether its container is here, and runs or has succeeded.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self.turn, Turn::Here(Here::Runs | Here::Ended))
    }

    /// Adds its steps to a group.
    pub(super) fn lower(&self, context: &PlanContext<'a>, group: &mut Group<'_>) {
        for container in &self.found {
            group.know(&container.id, &container.name, runs(container));
        }
        match &self.turn {
            // Its container is gone, but for an apply that was cut off.
            Turn::Known => self.clear(context, true, group),
            Turn::Labelled | Turn::Part(_) => {
                self.clear(context, false, group);
                remember(context, self, &self.fingerprint, group);
            }
            Turn::Here(_) => {
                self.clear(context, true, group);
                if self.is_created() {
                    self.run(context, group);
                }
            }
        }
    }

    /// What is there: awaited if it runs, remembered if it succeeded, removed. What waits for nothing on this
    /// host may not wait for those either.
    fn clear(&self, context: &PlanContext<'a>, running_too: bool, group: &mut Group<'_>) {
        for container in self.found.iter().filter(|container| running_too || !runs(container)) {
            let Some(Errand::Task { fingerprint, .. }) = &container.errand else { continue };
            let (target, name) = (Target::Id(container.id.clone()), container.name.clone());
            if runs(container) && was_stopped(container) {
                let (container, name) = (target.clone(), name.clone());
                let timeout = self.wish.container.stop_timeout;
                group.push(Action::Stop { container, name, timeout }, Vec::new());
            } else if runs(container) {
                group.push(self.wait(target.clone(), name.clone()), Vec::new());
            }
            if of(container).is_some() && !context.has_run(self.name(), fingerprint) {
                remember(context, self, fingerprint, group);
            }
            group.push(Action::Discard { container: target, name }, Vec::new());
            if let Some(volume) = secrets::of(context, container) {
                group.push(Action::RemoveOwnVolume { name: volume.to_owned() }, Vec::new());
            }
        }
    }

    /// Creates its container and waits for its end. Nothing is taken back once it was started: what it did
    /// cannot be, and its container is kept for its log.
    fn run(&self, context: &PlanContext<'a>, group: &mut Group<'_>) {
        let wish = &self.wish.container;
        let whose = secrets::whose_task(wish.name.as_str());
        let files = Files::of(context, wish.name.as_str(), whose, &wish.spec.files, &self.source);
        let mut back: Vec<Action> = Vec::new();
        let mut filler = None;
        if let Some(files) = &files {
            group.push(files.create_volume(), Vec::new());
            back = vec![Action::RemoveOwnVolume { name: files.volume.clone() }];
            let target = Target::CreatedBy(group.push(files.create_filler(), back.clone()));
            back.insert(0, files.discard(target.clone()));
            if files.in_memory() {
                filler = Some(target);
            } else {
                group.push(files.put(target.clone()), back.clone());
                group.push(files.discard(target), back.clone());
                back.remove(0);
            }
        }
        let name = container_name(context, self.name());
        let create = self.create(context, &name, files.as_ref());
        let container = Target::CreatedBy(group.push(Action::Create(Box::new(create)), back.clone()));
        back.insert(0, Action::Discard { container: container.clone(), name: name.clone() });
        for (network, endpoint) in wish.spec.further_networks() {
            let (container, name) = (container.clone(), name.clone());
            group.push(Action::Connect { container, name, network, endpoint }, back.clone());
        }
        match (&files, filler) {
            (Some(files), Some(filler)) => {
                let start = Action::StartFilled {
                    container: container.clone(),
                    name: name.clone(),
                    filler: filler.clone(),
                    service: wish.name.to_string(),
                    files: files.files.clone(),
                };
                let discard = files.discard(filler);
                group.push(start, vec![discard.clone()]);
                group.push(discard, Vec::new());
            }
            _ => {
                let (container, name) = (container.clone(), name.clone());
                group.push(Action::Start { container, name }, Vec::new());
            }
        }
        group.push(self.wait(container.clone(), name.clone()), Vec::new());
        remember(context, self, &self.fingerprint, group);
        group.push(Action::Discard { container, name }, Vec::new());
        if let Some(files) = files {
            group.push(Action::RemoveOwnVolume { name: files.volume }, Vec::new());
        }
    }

    fn create(&self, context: &PlanContext<'a>, name: &str, files: Option<&Files<'_>>) -> Create {
        let spec = &self.wish.container.spec;
        let mut body = spec.create_body();
        body["HostConfig"]["RestartPolicy"] = json!({ "Name": "no", "MaximumRetryCount": 0 });
        for (label, value) in self.labels(context, &self.fingerprint) {
            body["Labels"][label] = json!(value);
        }
        if let Some(files) = files {
            files.mount(&mut body);
        }
        Create {
            name: name.to_owned(),
            service: self.name().to_owned(),
            image: self.source.create_from.clone(),
            digest: self.source.pull.as_ref().and_then(|image| image.digest.clone()),
            body,
            env: spec.env.clone(),
        }
    }

    fn labels(&self, context: &PlanContext<'a>, fingerprint: &str) -> BTreeMap<String, String> {
        let version = self.found.iter().find_map(|container| match &container.errand {
            Some(Errand::Task { fingerprint: found, version, .. }) if found == fingerprint => Some(version),
            _ => None,
        });
        let version = if fingerprint == self.fingerprint { Some(&self.source.version) } else { version };
        let own = [
            (Label::TASK, self.name().to_owned()),
            (Label::RAN, fingerprint.to_owned()),
            (Label::VERSION, version.cloned().unwrap_or_default()),
        ];
        let all = Label::of(context.workspace()).chain(own);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn wait(&self, container: Target, name: String) -> Action {
        let (timeout, stop_timeout) = (self.wish.timeout, self.wish.container.stop_timeout);
        Action::AwaitExit { container, name, timeout, stop_timeout }
    }

    fn name(&self) -> &str {
        self.wish.container.name.as_str()
    }

    /// Why it runs, or what is known of it.
    pub(super) fn causes(&self, context: &PlanContext<'_>) -> Vec<Cause> {
        let said = |text: &str| vec![Cause::PartOf(text.to_owned())];
        match &self.turn {
            Turn::Known => said("it ran with this image and these options"),
            Turn::Labelled => said("it ran, as containers made after it say: remembered again"),
            Turn::Part(Part::Elsewhere(host)) => said(&format!("it runs on {host}, and is remembered here")),
            Turn::Part(Part::Ran(host)) => said(&format!("it ran on {host}, and is remembered here")),
            Turn::Here(Here::Runs) => vec![Cause::Once("it runs already, and is waited for".to_owned())],
            Turn::Here(Here::Ended) => {
                vec![Cause::Once("it ended well when nobody was looking, and is remembered".to_owned())]
            }
            Turn::Here(Here::Anew) => self.why(context),
        }
    }

    fn why(&self, context: &PlanContext<'_>) -> Vec<Cause> {
        let failed = self.found.iter().find(|container| runs_as(container, &self.fingerprint));
        if let Some(failed) = failed {
            let status = super::causes::status(failed);
            return vec![Cause::Once(format!("the last attempt is {status}"))];
        }
        match context.ran(self.name()).last() {
            None => vec![Cause::Once("it has not run yet".to_owned())],
            Some(last) if last.version == self.source.version => {
                vec![Cause::Once("its image or options are others than when it ran".to_owned())]
            }
            Some(last) => {
                let (from, to) = (escaped(&last.version), self.source.version.clone());
                let version =
                    Cause::Version { from, to, at: super::causes::version_place(&self.wish.container) };
                vec![Cause::Once("it has not run with this version".to_owned()), version]
            }
        }
    }
}

/// The tasks of a host by name.
pub(super) struct Tasks<'a>(BTreeMap<&'a str, Known<'a>>);

/// What is known of a task before anything is done.
struct Known<'a> {
    fingerprint: String,
    /// The hold of its gate, which keeps it from running.
    held: Option<(&'a str, &'a Hold)>,
}

impl<'a> Tasks<'a> {
    /// All that a host declares.
    pub(super) fn of(context: &PlanContext<'a>) -> Self {
        let each = context.items().filter_map(|item| {
            let Wish::Task(wish) = &item.wish else { return None };
            let task = Errands::of(context, wish).ok()?;
            let held = item.hold().filter(|_| !task.is_known());
            Some((item.address.name.as_str(), Known { fingerprint: task.fingerprint, held }))
        });
        Self(each.collect())
    }

    fn needed<'s>(&'s self, item: &'s Item) -> impl Iterator<Item = (&'a str, &'s Known<'a>)> {
        let tasks = item.needs.iter().filter(|needed| needed.kind == Kind::Task);
        tasks
            .filter_map(|needed| self.0.get_key_value(needed.name.as_str()).map(|(name, task)| (*name, task)))
    }

    /// Those that have run when a thing is made, with what they ran as.
    pub(super) fn before(&self, item: &Item) -> BTreeMap<String, String> {
        self.needed(item).map(|(name, task)| (name.to_owned(), task.fingerprint.clone())).collect()
    }

    /// The hold of a task that a thing requires and that has not run: then it waits as well.
    pub(super) fn held_back(&self, item: &Item) -> Option<(&'a str, &'a Hold)> {
        self.needed(item).find_map(|(_, task)| task.held)
    }
}

/// Remembers that a task ran, and forgets what is long ago.
fn remember(context: &PlanContext<'_>, task: &Errands<'_>, fingerprint: &str, group: &mut Group<'_>) {
    let workspace = context.workspace();
    let labels = task.labels(context, fingerprint);
    let name = OwnVolumes::of_task(workspace, task.name(), fingerprint);
    group.push(Action::CreateOwnVolume { name, labels, memory: false }, Vec::new());
    let remembered = context.ran(task.name());
    let old = remembered.len().saturating_sub(REMEMBERED - 1);
    for ran in &remembered[..old] {
        group.push(Action::RemoveOwnVolume { name: ran.volume.clone() }, Vec::new());
    }
}

/// The name of the container of a task; it is no service, and none has this name.
fn container_name(context: &PlanContext<'_>, task: &str) -> String {
    format!("pillarbox-task.{}.{task}", context.workspace().scope())
}

/// It did not end in time, and was to be stopped.
fn was_stopped(container: &Container) -> bool {
    container.name.ends_with(STOPPED)
}

fn runs_as(container: &Container, wanted: &str) -> bool {
    matches!(&container.errand, Some(Errand::Task { fingerprint, .. }) if fingerprint == wanted)
}

/// Whether it runs, or ended well; `None` where it has to be run anew.
fn of(container: &Container) -> Option<Here> {
    let state = &container.state;
    let has_run = !state.started_at.is_empty() && !state.started_at.starts_with("0001-");
    match state.status.as_str() {
        // Ended with 0 it may have been told to.
        _ if was_stopped(container) => None,
        _ if runs(container) => Some(Here::Runs),
        "exited" | "dead" if has_run && state.exit_code == 0 && state.error.is_empty() => Some(Here::Ended),
        _ => None,
    }
}
