//! What would be written for a project; nothing is yet.

use super::variables::{Row, rows};
use super::{AddOptions, within};
use crate::cli::{Context, on_engines};
use crate::compose::{self, Look};
use crate::inventory::{ComposeProject, FILE, Getter, Host, Inventory, NewProject};
use crate::inventory::{add_project, give_project, pillar_files};
use crate::name::KeyPath;
use crate::pillar::document::{Document, Written};
use crate::pillar::seal::{self, Kind};
use crate::pillar::{Node, Origin, merge};
use crate::problem::{Place, Problem, Problems, Result, escaped};
use crate::secret::Secret;
use crate::session::{NewHosts, Pipeline, Running, Vault, merged};
use crate::store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What would be written, and what is known of the project.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) files: Vec<String>,
    pub(super) dir: Option<String>,
    /// What runs on its hosts already, by host.
    pub(super) running: Vec<(String, Running)>,
    /// Hosts that could not be asked.
    pub(super) silent: Vec<Problem>,
    /// Files of variables, as they are shown.
    pub(super) env: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Variables that no file refers to.
    pub(super) unused: Vec<String>,
    pub(super) look: Look,
    /// `pillarbox.toml` before and after.
    pub(super) before: String,
    pub(super) inventory: String,
    /// The pillar file, relative to `pillar/`, if it has to be made or changed.
    pub(super) document: Option<Document>,
    pub(super) pillar: String,
    pub(super) has_host: bool,
    is_new: bool,
}

/// Variables from files.
type Given = BTreeMap<String, (String, Place)>;

impl Draft {
    pub(super) fn of(
        vault: &Vault<'_>,
        files: &[PathBuf],
        name: Option<&str>,
        options: &AddOptions,
        ctx: &Context,
    ) -> Result<Self> {
        let workspace = vault.workspace();
        let read = |path: &str| workspace.read_beside(path);
        let files = if files.is_empty() {
            let usual = compose::usual_file(&read).ok_or_else(|| {
                Problem::failed("the workspace has no compose.yaml")
                    .hint("name the file: pillarbox compose add deploy/compose.yaml")
            })?;
            vec![usual.to_owned()]
        } else {
            files.iter().map(|path| within(workspace, path, ctx)).collect::<Result<Vec<_>>>()?
        };
        let (env, given) = given(workspace.root(), &files, options, ctx)?;
        let name = named(name, &files, &given, workspace.root(), &read)?;
        let existing = vault.inventory().compose.get(&name);
        let profiles = profiles(options, &given);
        let wanted: Vec<String> = options.host.iter().chain(&options.group).cloned().collect();
        let before = workspace.read(FILE)?;
        let mut project = ComposeProject {
            name: name.clone(),
            files: files.iter().map(|file| entry(file)).collect(),
            profiles: profiles.clone(),
            dir: options.dir.clone().or_else(|| existing.and_then(|project| project.dir.clone())),
            vars: existing.map(|project| project.vars.clone()).unwrap_or_default(),
            place: Place::new(FILE, 0),
        };
        let vars = project
            .vars
            .iter()
            .map(|(name, (text, place))| {
                (name.clone(), (crate::state::Text::clear(text.as_str()), vec![place.clone()]))
            })
            .collect::<BTreeMap<_, _>>();
        // What it asks for is known once all that is given is there.
        let all = in_clear(&name, &given)?;
        let (pillar, document) = pillar(vault, &name);
        let list = |path: &str| workspace.files_beside(path);
        let first = compose::look(&compose::Inputs {
            project: &ComposeProject { dir: Some("/".to_owned()), ..project.clone() },
            vars: &vars,
            pillar: &all,
            read: &read,
            list: &list,
        });
        if first.services.is_empty() {
            Problems::check(first.problems)?;
            let what = format!("{} declares no service that is on", escaped(&files.join(", ")));
            return Err(Problem::failed(what).hint("name a profile: --profile NAME").into());
        }
        let is_there = |variable: &str| {
            vars.contains_key(variable)
                || key(&name, variable)
                    .is_some_and(|key| vault.documents().any(|document| document.get(&key).is_some()))
        };
        let rows = rows(&given, &first.asked, is_there, options)?;
        let document = with_rows(vault, document, &pillar, &name, &rows, !first.asked.is_empty())?;
        let changed = vault.document(&pillar).map(Document::text) != document.as_ref().map(Document::text);
        let document = document.filter(|_| changed);

        // The hosts as they will be, so that a new one can be asked where the files lie.
        let with_host = |project: NewProject<'_>| -> Result<String> {
            let text = match existing {
                Some(existing) => {
                    says_the_same(existing, &project)?;
                    before.clone()
                }
                None => add_project(&before, project)?,
            };
            getters(&text, options, &name, vault, &pillar, document.is_some())
        };
        let new = |dir: Option<&str>| -> Result<String> {
            with_host(NewProject { name: &name, files: &files, profiles: &profiles, dir })
        };
        let mut inventory = new(project.dir.as_deref())?;
        let parsed = Inventory::parse(&inventory)?;
        let (mut running, mut silent) = (Vec::new(), Vec::new());
        if project.dir.is_none() && !first.relative.is_empty() && existing.is_none() && !wanted.is_empty() {
            (running, silent) = ask(vault, &parsed, &name)?;
            let mut dirs = running.iter().filter_map(|(_, running)| running.dir.clone());
            project.dir = dirs.next().filter(|first| dirs.all(|dir| dir == *first) && first.starts_with('/'));
            inventory = new(project.dir.as_deref())?;
        }
        let host = parsed.hosts.values().find(|host| has(&parsed, host, &name));
        let tree = overlaid(vault, host, document.as_ref(), &pillar)?;
        let look = compose::look(&compose::Inputs {
            project: &project,
            vars: &vars,
            pillar: &tree,
            read: &read,
            list: &list,
        });
        let unused = given
            .keys()
            .filter(|name| !first.asked.contains(*name) && !name.starts_with("COMPOSE_"))
            .cloned()
            .collect();
        Ok(Self {
            name,
            files,
            dir: project.dir.filter(|_| !first.relative.is_empty() || options.dir.is_some()),
            running,
            silent,
            env,
            rows,
            unused,
            look,
            before,
            inventory,
            document,
            pillar,
            has_host: host.is_some(),
            is_new: existing.is_none(),
        })
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_new || self.document.is_some() || self.inventory != self.before
    }
}

fn entry(text: &str) -> crate::inventory::ListEntry {
    crate::inventory::ListEntry { text: text.to_owned(), place: Place::new(FILE, 0) }
}

fn has(inventory: &Inventory, host: &Host, project: &str) -> bool {
    inventory.compose_of(host).iter().any(|on| on.name == project)
}

/// The variables of the named files, or of `.env` beside the first file.
fn given(root: &Path, files: &[String], options: &AddOptions, ctx: &Context) -> Result<(Vec<String>, Given)> {
    let mut paths: Vec<PathBuf> = options.env.iter().map(|path| ctx.session.absolute(path)).collect();
    if paths.is_empty() {
        let folder = files.first().and_then(|file| Path::new(file).parent().map(|folder| root.join(folder)));
        paths.extend(folder.map(|folder| folder.join(".env")).filter(|path| path.is_file()));
    }
    let (mut shown, mut all) = (Vec::new(), Given::new());
    for path in paths {
        let near = path.strip_prefix(root).unwrap_or(&path);
        let name = escaped(&near.display().to_string());
        let secret = store::read_secret(&path)?;
        let text = secret.reveal_text().ok_or_else(|| {
            Problem::failed(format!("{name} is not UTF-8 text")).hint("write NAME=value, one in a line")
        })?;
        all.extend(compose::env_variables(&name, text)?);
        shown.push(name);
    }
    Ok((shown, all))
}

/// As Compose calls it: `--name`, `COMPOSE_PROJECT_NAME`, `name` in the files, the folder.
fn named(
    said: Option<&str>,
    files: &[String],
    given: &Given,
    root: &Path,
    read: &dyn Fn(&str) -> Result<Option<String>>,
) -> Result<String> {
    let variable =
        given.get("COMPOSE_PROJECT_NAME").map(|(name, _)| name.as_str()).filter(|name| !name.is_empty());
    if let Some(name) = said.or(variable) {
        let right = compose::normalised(name);
        if right == name {
            return Ok(name.to_owned());
        }
        let problem = Problem::usage(format!("`{}` is not the name of a Compose project", escaped(name)))
            .cause("it has lower-case letters, digits, `-` and `_`, and begins with a letter or digit");
        return Err(if right.is_empty() { problem } else { problem.hint(format!("--name {right}")) }.into());
    }
    let values = given.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
    let folder = || {
        let folder = files.first().and_then(|file| Path::new(file).parent().map(|folder| root.join(folder)));
        let name = folder.as_ref().and_then(|folder| folder.file_name());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let written = compose::own_name(files, &values, read).unwrap_or_else(folder);
    match compose::normalised(&written) {
        name if name.is_empty() => {
            Err(Problem::usage(format!("Compose makes no name of `{}`", escaped(&written)))
                .hint("say what the project is called: --name shop")
                .into())
        }
        name => Ok(name),
    }
}

fn profiles(options: &AddOptions, given: &Given) -> Vec<String> {
    if !options.profile.is_empty() {
        return options.profile.clone();
    }
    let listed = given.get("COMPOSE_PROFILES").map(|(text, _)| text.as_str()).unwrap_or_default();
    listed.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The key of a variable.
fn key(project: &str, variable: &str) -> Option<KeyPath> {
    KeyPath::from_parts(vec!["vars".to_owned(), project.to_owned(), variable.to_owned()])
}

/// A pillar with all variables, which is written nowhere.
fn in_clear(project: &str, given: &Given) -> Result<Node> {
    let mut document = Document::parse("variables.toml", "")?;
    for (name, (value, _)) in given {
        if let Some(key) = key(project, name) {
            document.set(&key, Written::Plain(value))?;
        }
    }
    document.into_tree()
}

/// The pillar file of the variables: one that has some of them, or one that is called as the project.
fn pillar(vault: &Vault<'_>, project: &str) -> (String, Option<Document>) {
    let table = KeyPath::from_parts(vec!["vars".to_owned(), project.to_owned()]);
    let has = |document: &&Document| table.as_ref().is_some_and(|table| document.get(table).is_some());
    let found = vault.documents().filter(|document| !document.file().starts_with("hosts/")).find(has);
    let file = found.map_or_else(|| format!("{project}.toml"), |document| document.file().to_owned());
    (file.clone(), vault.document(&file).cloned())
}

/// The pillar file with new variables; a new one if the project asks for any.
fn with_rows(
    vault: &Vault<'_>,
    document: Option<Document>,
    file: &str,
    project: &str,
    rows: &[Row],
    asks: bool,
) -> Result<Option<Document>> {
    let mut document = match document {
        Some(document) => document,
        None if asks => Document::parse(
            file,
            format!("# Variables of the Compose project {project}.\n[vars.{project}]\n"),
        )?,
        None => return Ok(None),
    };
    let mut slot = None;
    for row in rows.iter().filter(|row| !row.is_there) {
        let Some(key) = key(project, &row.name) else { continue };
        if !row.sealed {
            document.set(&key, Written::Plain(&row.value))?;
            continue;
        }
        let to = match slot.take() {
            Some(slot) => slot,
            None => vault.slot_for(file, None)?,
        };
        let origin = Origin { file: file.to_owned(), key };
        let secret = Secret::from(row.value.clone());
        document.set_sealed(&seal::seal(&secret, Kind::of(&secret), &origin, seal::new_id()?, &to)?)?;
        slot = Some(to);
    }
    Ok(Some(document))
}

/// Where a project of this name is there already, nothing of it is changed.
fn says_the_same(existing: &ComposeProject, wanted: &NewProject<'_>) -> Result<()> {
    let files: Vec<&str> = existing.files.iter().map(|entry| entry.text.as_str()).collect();
    let same_files = files.is_empty() || wanted.files.iter().map(String::as_str).eq(files.iter().copied());
    let same = same_files
        && (wanted.profiles.is_empty() || existing.profiles == wanted.profiles)
        && (wanted.dir.is_none() || existing.dir.as_deref() == wanted.dir);
    if same {
        return Ok(());
    }
    Err(Problem::failed(format!("[compose.{}] is there already and says otherwise", existing.name))
        .at(&existing.place)
        .hint("change it there, or add this one under another name: --name NAME")
        .into())
}

/// The text with the project at each host and group.
fn getters(
    text: &str,
    options: &AddOptions,
    project: &str,
    vault: &Vault<'_>,
    pillar: &str,
    is_new: bool,
) -> Result<String> {
    let mut text = text.to_owned();
    let stem = pillar.strip_suffix(".toml").unwrap_or(pillar);
    let mut all: Vec<String> = vault.documents().map(|document| document.file().to_owned()).collect();
    if is_new && !all.iter().any(|file| file == pillar) {
        all.push(pillar.to_owned());
    }
    let there = all.iter().any(|file| file == pillar);
    for host in &options.host {
        let (name, engine) =
            host.split_once('=').map_or((host.as_str(), None), |(name, it)| (name, Some(it)));
        let parsed = Inventory::parse(&text)?;
        let known = parsed.hosts.values().find(|host| host.name.as_str() == name);
        match (known, engine) {
            (None, None) => {
                return Err(Problem::usage(format!("there is no host {}", escaped(name)))
                    .nearest(name, parsed.hosts.keys().map(crate::name::HostName::as_str))
                    .hint(format!(
                        "say where its Engine is: --host {}=ssh://deploy@{}",
                        escaped(name),
                        escaped(name)
                    ))
                    .into());
            }
            (Some(known), Some(engine)) if known.engine.to_string() != engine => {
                return Err(Problem::failed(format!("host {name} is there already with another Engine"))
                    .at(&known.place)
                    .cause(format!("there it is {}", known.engine))
                    .hint(format!("leave the address out: --host {name}"))
                    .into());
            }
            _ => {}
        }
        let gets = known.map(|host| pillar_files(&parsed, host, &all)).transpose()?;
        let gets = gets.is_some_and(|files| files.iter().any(|file| file == pillar));
        let on = known.is_some_and(|host| has(&parsed, host, project));
        if !on || (there && !gets) {
            let stem = (there && !gets).then_some(stem);
            text = if on {
                // A group of the host has it: only the file is missing.
                give_project(&text, Getter::Host(name, None), project, stem)?
            } else {
                give_project(&text, Getter::Host(name, engine), project, stem)?
            };
        }
    }
    for group in &options.group {
        let parsed = Inventory::parse(&text)?;
        let known = parsed.groups.keys().map(std::string::ToString::to_string).collect::<Vec<_>>();
        if !known.iter().any(|name| name == group) {
            return Err(Problem::usage(format!("there is no group {}", escaped(group)))
                .nearest(group, known.iter().map(String::as_str))
                .hint(format!("write [groups.{}] in {FILE}", escaped(group)))
                .into());
        }
        let members: Vec<&Host> =
            parsed.hosts.values().filter(|host| host.groups.iter().any(|name| name == group)).collect();
        let mut gets = !members.is_empty();
        for host in members {
            gets = gets && pillar_files(&parsed, host, &all)?.iter().any(|file| file == pillar);
        }
        let stem = (there && !gets).then_some(stem);
        text = give_project(&text, Getter::Group(group), project, stem)?;
    }
    Ok(text)
}

/// What hosts run, and those that did not answer.
type Answers = (Vec<(String, Running)>, Vec<Problem>);

/// What Compose runs on the hosts of the project.
fn ask(vault: &Vault<'_>, inventory: &Inventory, project: &str) -> Result<Answers> {
    let hosts: Vec<&Host> = inventory.hosts.values().filter(|host| has(inventory, host, project)).collect();
    on_engines(async |interrupt| {
        let pipeline = Pipeline::new(vault, NewHosts::Ask, interrupt);
        let (mut running, mut silent) = (Vec::new(), Vec::new());
        for host in hosts {
            match pipeline.running(host, project).await {
                Ok(found) => running.push((host.name.to_string(), found)),
                Err(problems) if problems.code() == crate::problem::Code::Interrupted => {
                    return Err(problems);
                }
                Err(problems) => silent.extend(problems.into_vec()),
            }
        }
        Ok((running, silent))
    })
}

/// The pillar of a host with the new file over it.
fn overlaid(
    vault: &Vault<'_>,
    host: Option<&Host>,
    document: Option<&Document>,
    pillar: &str,
) -> Result<Node> {
    let mut layers = Vec::new();
    let known = host.and_then(|host| vault.inventory().hosts.values().find(|known| known.name == host.name));
    if let Some(known) = known {
        layers.push(merged(vault, known)?);
    }
    match document.or_else(|| vault.document(pillar)) {
        Some(document) => layers.push(document.tree()?.clone()),
        None if layers.is_empty() => layers.push(Document::parse("none.toml", "")?.into_tree()?),
        None => {}
    }
    Ok(merge::merge(layers))
}
