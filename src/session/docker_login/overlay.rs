//! The personal overlay: what this user logged in to by hand, in a small workspace of their own. `-C` with
//! its folder makes every command work on it.

mod new;

use super::told::told;
use super::workspace::{self, Hit};
use crate::credential::{Login, Server, TOKEN_USER};
use crate::keys::Locked;
use crate::name::KeyPath;
use crate::pillar::boxes::BoxFolder;
use crate::pillar::document::Written;
use crate::pillar::seal::Kind;
use crate::pillar::{Node, Origin, Value};
use crate::problem::{Code, Problem, Problems, Result, escaped, quoted};
use crate::registry::TABLE;
use crate::session::Session;
use crate::session::Vault;
use crate::store::Workspace;
use std::path::Path;

/// The file, and the table in it, of logins to servers that are no registries: `servers."KEY"` with
/// `username` and the sealed `secret`.
const OTHERS: &str = "servers";

/// An overlay that is there.
pub(super) struct Overlay<'c> {
    session: &'c Session,
    workspace: Workspace,
}

/// Where the login of a server stands.
struct Place {
    /// Relative to `pillar/`.
    file: String,
    table: KeyPath,
}

impl<'c> Overlay<'c> {
    /// Opens it, if there is one.
    ///
    /// # Errors
    /// Where it is not sound.
    pub(super) fn open(session: &'c Session) -> Result<Option<Self>> {
        let Ok(paths) = session.paths() else { return Ok(None) };
        let workspace =
            Workspace::open_if_there(&paths.overlay).map_err(|problems| broken(problems, &paths.overlay))?;
        Ok(workspace.map(|workspace| Self { session, workspace }))
    }

    /// Opens it, or makes it for the identities at hand.
    ///
    /// # Errors
    /// Where it cannot be made, or there is no identity: what is put in could never be opened.
    pub(super) fn open_or_make(session: &'c Session) -> Result<Self> {
        if let Some(there) = Self::open(session)? {
            return Ok(there);
        }
        let root = session.paths()?.overlay;
        let files = new::files(session).map_err(|problems| broken(problems, &root))?;
        match Workspace::create(&root, &files) {
            Ok(workspace) => Ok(Self { session, workspace }),
            // Another process may have made it in the same moment.
            Err(problems) => Self::open(session)?.ok_or(problems),
        }
    }

    /// The login for a server. For a client that names an image, the longest part that covers it.
    ///
    /// # Errors
    /// Where there is one that cannot be opened.
    pub(super) fn get(&self, server: &Server) -> Result<Option<Login>> {
        self.get_now(server).map_err(|problems| broken(problems, self.workspace.root()))
    }

    fn get_now(&self, server: &Server) -> Result<Option<Login>> {
        let place = Place::of(server)?;
        let vault = Vault::load_files(self.session, &self.workspace, &[&place.file])?;
        if let Server::Registry(scope) = server {
            return match workspace::hit(vault, scope)? {
                Hit::Entry { vault, entry } => workspace::login(&vault, &entry),
                Hit::Parts(_) | Hit::Nothing => Ok(None),
            };
        }
        let Some(document) = vault.document(&place.file) else { return Ok(None) };
        document.tree()?;
        let Some(entry) = document.get(&place.table) else { return Ok(None) };
        let (username, secret) = (entry.at(["username"]), entry.at(["secret"]));
        match (username.and_then(Node::as_str), secret.map(|node| &node.value)) {
            (Some(username), Some(Value::Sealed(secret))) => {
                Ok(Some(Login { username: username.to_owned(), secret: vault.open(secret)?.secret }))
            }
            _ => Err(Problem::failed("this login is not whole").at(&entry.place).into()),
        }
    }

    /// Puts a login in, in the place of another one of the same server.
    ///
    /// # Errors
    /// Where it cannot be written, or its server or user name cannot be.
    pub(super) fn store(&self, server: &Server, login: &Login) -> Result<()> {
        check_user(server, &login.username)?;
        self.store_now(server, login).map_err(|problems| broken(problems, self.workspace.root()))
    }

    fn store_now(&self, server: &Server, login: &Login) -> Result<()> {
        let place = Place::of(server)?;
        let is_registry = matches!(server, Server::Registry(_));
        let is_token = is_registry && login.username == TOKEN_USER;
        let mut vault = Vault::for_change(self.session, &self.workspace)?;
        self.will_open(&vault)?;
        vault.edit(&place.file, |document| {
            if document.get(&place.table).is_some() {
                document.unset(&place.table)?;
            }
            if is_token {
                return Ok(());
            }
            document.set(&place.table.child("username"), Written::Plain(&login.username))
        })?;
        let field = match (is_registry, is_token) {
            (false, _) => "secret",
            (true, true) => "identity_token",
            (true, false) => "password",
        };
        let origin = Origin { file: place.file.clone(), key: place.table.child(field) };
        vault.post(&origin, &login.secret, Kind::Text, None)?;
        vault.commit()
    }

    /// What is put in must be possible to open: now, or once a passphrase was given.
    fn will_open(&self, vault: &Vault<'_>) -> Result<()> {
        let top = BoxFolder::top();
        let Err(problems) = vault.open_box(&top) else { return Ok(()) };
        let file = vault.boxes().get(&top).filter(|_| problems.code() == Code::NoIdentity);
        let mut later = false;
        for source in new::sources(self.session)? {
            let locked = source.locked_keys();
            let may = |locked: &Locked| {
                file.is_some_and(|file| locked.recipient().is_none_or(|key| file.may_open_with(key)))
            };
            later |= locked.is_some_and(may);
        }
        if later { Ok(()) } else { Err(problems) }
    }

    /// Takes a login out; fine if there is none.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn erase(&self, server: &Server) -> Result<()> {
        self.erase_now(server).map_err(|problems| broken(problems, self.workspace.root()))
    }

    fn erase_now(&self, server: &Server) -> Result<()> {
        let place = Place::of(server)?;
        let is_there = |vault: &Vault<'_>| {
            vault.document(&place.file).is_some_and(|document| document.get(&place.table).is_some())
        };
        if !is_there(&Vault::load_files(self.session, &self.workspace, &[&place.file])?) {
            return Ok(());
        }
        let mut vault = Vault::for_change(self.session, &self.workspace)?;
        if !is_there(&vault) {
            return Ok(());
        }
        vault.edit(&place.file, |document| document.unset(&place.table))?;
        if vault.document(&place.file).is_some_and(|document| document.text().trim().is_empty()) {
            vault.remove_document(&place.file);
        }
        vault.commit()
    }

    /// Server addresses with user names.
    ///
    /// # Errors
    /// Where a file is not sound.
    pub(super) fn list(&self) -> Result<Vec<(String, String)>> {
        let vault = Vault::load(self.session, &self.workspace)
            .map_err(|problems| broken(problems, self.workspace.root()))?;
        let mut all = Vec::new();
        for document in vault.documents() {
            for table in [TABLE, OTHERS] {
                let entries = document.tree()?.at([table]).and_then(Node::as_table);
                for (key, node) in entries.into_iter().flatten() {
                    let user = node.at(["username"]).and_then(Node::as_str).unwrap_or(TOKEN_USER);
                    all.push((Server::parse(key).to_string(), user.to_owned()));
                }
            }
        }
        Ok(all)
    }
}

impl Place {
    fn of(server: &Server) -> Result<Self> {
        let (file, table, key) = match server {
            Server::Registry(scope) => {
                (format!("registries/{}.toml", scope.host().file_stem()), TABLE, scope.to_string())
            }
            Server::Key(key) => (format!("{OTHERS}.toml"), OTHERS, key.clone()),
        };
        let table = KeyPath::from_parts(vec![table.to_owned(), key])
            .ok_or_else(|| Problem::failed("a login has a server"))?;
        Ok(Self { file, table })
    }
}

/// What is wrong with the login itself is said before the overlay is looked at: it is not the overlay's fault.
fn check_user(server: &Server, username: &str) -> Result<()> {
    let Server::Registry(scope) = server else { return Ok(()) };
    if !username.contains(|c: char| c == ':' || c.is_control()) {
        return Ok(());
    }
    Err(Problem::failed("this user name cannot be kept; nothing was changed")
        .cause("a user name of a registry has no `:` and no control character (RFC 7617)")
        .hint(format!(
            "log in with the user name alone, and the password at its prompt: docker login -u USER {}",
            quoted(&scope.to_string())
        ))
        .into())
}

/// Says of problems that they are the overlay's, and how to go on.
fn broken(problems: Problems, root: &Path) -> Problems {
    let shown = root.display().to_string();
    let whose = format!("for your own logins, {}", escaped(&shown));
    told(problems, &whose, "make one: pillarbox identity new").map(|mut problem| {
        // This user has no other readers to ask.
        problem.hints.retain(|hint| !hint.contains("reader add"));
        if root.exists() && (problem.hints.is_empty() || problem.code == Code::Seal) {
            let root = quoted(&shown);
            problem.hints = vec![
                format!("look at them with 'pillarbox -C {root} verify'"),
                format!("to forget them all: rm -r {root}"),
            ];
        }
        problem
    })
}
