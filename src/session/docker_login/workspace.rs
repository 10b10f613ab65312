//! The registries of a workspace, for a client that asks for one of them: as few files are read as can
//! be, and one box is opened.

use super::told::told;
use crate::credential::{Found, Login, TOKEN_USER};
use crate::external_helper;
use crate::name::RegistryHost;
use crate::pillar::document::Document;
use crate::pillar::{Node, Table, Value};
use crate::problem::{Problem, Problems, Result, escaped, quoted};
use crate::registry::{Credentials, Entry, How, Scope, TABLE};
use crate::session::Session;
use crate::session::Vault;
use crate::store::Workspace;

/// The entries of one workspace.
pub(super) struct Entries<'c> {
    session: &'c Session,
    workspace: &'c Workspace,
}

/// What a workspace has for a registry.
pub(super) enum Hit<'c> {
    /// The entry that covers all of what was asked for, and what opens it.
    Entry {
        /// With its file and box.
        vault: Box<Vault<'c>>,
        /// The longest one.
        entry: Entry,
    },
    /// Entries for parts of it alone.
    Parts(Vec<Scope>),
    /// Nothing.
    Nothing,
}

impl<'c> Entries<'c> {
    /// Nothing is read yet.
    pub(super) fn of(session: &'c Session, workspace: &'c Workspace) -> Self {
        Self { session, workspace }
    }

    /// The login for a registry.
    ///
    /// # Errors
    /// Where it cannot be told whether there is one, or it cannot be opened.
    pub(super) fn get(&self, scope: &Scope) -> Result<Found> {
        match self.find(scope)? {
            Hit::Entry { vault, entry } => match login(&vault, &entry) {
                Ok(Some(login)) => Ok(Found::Login(login)),
                Ok(None) => Ok(Found::Absent(None)),
                Err(problems) => Err(self.here(problems)),
            },
            Hit::Parts(parts) => Ok(Found::Absent(Some(parts_only(scope, &parts)))),
            Hit::Nothing => Ok(Found::Absent(None)),
        }
    }

    /// The entry for a registry. Its own file is looked at first, `registries/HOST.toml`, and only where
    /// that has no answer all others: a workspace of a thousand registries answers as fast as one of one.
    /// Files of single hosts (`hosts/`) are not for this machine.
    ///
    /// # Errors
    /// Where a file that could have it is not sound, or two files have one.
    pub(super) fn find(&self, scope: &Scope) -> Result<Hit<'c>> {
        self.find_now(scope).map_err(|problems| self.here(problems))
    }

    fn find_now(&self, scope: &Scope) -> Result<Hit<'c>> {
        let own = format!("registries/{}.toml", scope.host().file_stem());
        let hit = hit(Vault::load_files(self.session, self.workspace, &[&own])?, scope)?;
        if matches!(hit, Hit::Entry { .. }) {
            return Ok(hit);
        }
        let wanted = |file: &str, text: &str| !file.starts_with("hosts/") && scope.host().may_be_in(text);
        self::hit(Vault::load_where(self.session, self.workspace, wanted)?, scope)
    }

    /// The registries that a client can ask for by their host, with the user names that stand in clear.
    ///
    /// # Errors
    /// Where a file is not sound.
    pub(super) fn list(&self) -> Result<Vec<(String, String)>> {
        self.list_now().map_err(|problems| self.here(problems))
    }

    fn list_now(&self) -> Result<Vec<(String, String)>> {
        let wanted = |file: &str, text: &str| !file.starts_with("hosts/") && may_hold_entries(text);
        let vault = Vault::load_where(self.session, self.workspace, wanted)?;
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        for document in vault.documents() {
            match document.tree().and_then(Credentials::read) {
                Ok(read) => all.extend(read.iter().filter_map(|entry| {
                    let user = user(entry)?;
                    entry.scope.is_whole().then(|| (entry.scope.host().server_address().to_owned(), user))
                })),
                Err(found) => problems.extend(found.into_vec()),
            }
        }
        Problems::check(problems)?;
        Ok(all)
    }

    /// Says of problems in which workspace they are: nobody stands in it.
    fn here(&self, problems: Problems) -> Problems {
        let root = escaped(&self.workspace.root().display().to_string());
        let instead = "make one with 'pillarbox identity new' and ask a reader to add it";
        told(problems, &format!("in the workspace {root}"), instead)
    }
}

/// The line for `erase`, which leaves the team's entries alone.
pub(super) fn stays(workspace: &Workspace, entry: &Entry) -> String {
    let root = workspace.root().display().to_string();
    format!(
        "{} stays available from the workspace {} ({}); the team's entry goes with: pillarbox -C {} registry remove {}",
        entry.scope,
        workspace.inventory().owner,
        entry.place,
        quoted(&root),
        quoted(&entry.scope.to_string()),
    )
}

fn parts_only(scope: &Scope, parts: &[Scope]) -> String {
    let named: Vec<String> = parts.iter().map(ToString::to_string).collect();
    format!(
        "there are credentials for parts of {scope} alone ({}), and it was not said which image is meant; add one for \
         all of it: pillarbox registry add {} -u USER",
        named.join(", "),
        quoted(&scope.to_string())
    )
}

/// The best entry of the files of a vault.
///
/// # Errors
/// Where one of them is not sound, or several are as good.
pub(super) fn hit<'c>(vault: Vault<'c>, scope: &Scope) -> Result<Hit<'c>> {
    let (mut found, mut parts, mut problems) = (Vec::<Entry>::new(), Vec::new(), Vec::new());
    for document in vault.documents() {
        match entries(document, scope.host()) {
            Ok(read) => {
                for entry in read.iter() {
                    if entry.scope.holds(scope) {
                        found.push(entry.clone());
                    } else if scope.holds(&entry.scope) && user(entry).is_some() {
                        parts.push(entry.scope.clone());
                    }
                }
            }
            Err(more) => problems.extend(more.into_vec()),
        }
    }
    Problems::check(problems)?;
    let deepest = found.iter().map(|entry| entry.scope.depth()).max();
    found.retain(|entry| Some(entry.scope.depth()) == deepest);
    if found.len() > 1 {
        let mut problem = Problem::failed(format!("several entries are for {}", found[0].scope));
        for entry in &found {
            problem = problem.cause(format!("one stands at {}", entry.place));
        }
        return Err(problem.hint("keep one of them; 'pillarbox registry list' shows all").into());
    }
    match (found.pop(), parts.is_empty()) {
        (Some(entry), _) => Ok(Hit::Entry { vault: Box::new(vault), entry }),
        (None, false) => Ok(Hit::Parts(parts)),
        (None, true) => Ok(Hit::Nothing),
    }
}

/// The entries of a file for a host: what is wrong with those of others is no reason to fail.
fn entries(document: &Document, host: &RegistryHost) -> Result<Credentials> {
    let tree = document.tree()?;
    let Some(all) = tree.at([TABLE]) else { return Ok(Credentials::default()) };
    let Some(table) = all.as_table() else { return Credentials::read(tree) };
    let of_host = |key: &str| Scope::parse(key).is_ok_and(|scope| scope.host() == host);
    let own: Table =
        table.iter().filter(|(key, _)| of_host(key)).map(|(key, node)| (key.clone(), node.clone())).collect();
    let own = Node::new(Value::Table(own), &all.place);
    Credentials::read(&Node::new(Value::Table(Table::from([(TABLE.to_owned(), own)])), &tree.place))
}

/// What an entry opens to; `None` where it says that nothing is to be sent.
///
/// # Errors
/// Where it cannot be opened, or the helper that it names does not answer.
pub(super) fn login(vault: &Vault<'_>, entry: &Entry) -> Result<Option<Login>> {
    let (username, sealed) = match &entry.how {
        How::Anonymous => return Ok(None),
        How::Basic { username, password } => (username.as_str(), password),
        How::IdentityToken(token) => (TOKEN_USER, token),
        How::Helper(name) => {
            let answer =
                external_helper::get(name, entry.scope.host().server_address(), external_helper::LIMIT)
                    .map_err(|problems| problems.map(|problem| problem.at(&entry.place)))?;
            return Ok(Some(Login { username: answer.username, secret: answer.secret }));
        }
    };
    Ok(Some(Login { username: username.to_owned(), secret: vault.open(sealed)?.secret }))
}

/// The user name as it stands in clear; empty where only a helper knows it. `None` where nothing is sent.
fn user(entry: &Entry) -> Option<String> {
    match &entry.how {
        How::Basic { username, .. } => Some(username.clone()),
        How::IdentityToken(_) => Some(TOKEN_USER.to_owned()),
        How::Helper(_) => Some(String::new()),
        How::Anonymous => None,
    }
}

/// Whether there can be a table of registries in a text; a backslash may hide its name.
fn may_hold_entries(text: &str) -> bool {
    text.contains(TABLE) || text.contains('\\')
}
