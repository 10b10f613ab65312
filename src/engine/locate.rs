//! From what an inventory says to where an Engine answers: certificates' folders and docker contexts
//! are files of this machine.

use super::Address;
use crate::inventory::{EngineAddress, Tls};
use crate::problem::{Problem, Result, escaped, quoted};
use crate::store::read_text;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// Folders that addresses lead to.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// The workspace's root: what a relative `tls` folder is relative to.
    pub workspace: PathBuf,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// `DOCKER_CONFIG`, else `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `DOCKER_CERT_PATH`, else that of `DOCKER_CONFIG`.
    pub docker_certificates: Option<PathBuf>,
}

impl Address {
    /// Where an Engine of the inventory answers.
    ///
    /// # Errors
    /// Where a docker context is not there or cannot be used, or there is no home folder to look in.
    pub fn of(engine: &EngineAddress, folders: &Folders) -> Result<Self> {
        match engine {
            EngineAddress::Unix { path } => Ok(Self::Unix(path.into())),
            EngineAddress::Ssh { user, host, port, socket } => {
                Ok(Self::Ssh { user: user.clone(), host: host.clone(), port: *port, path: socket.clone() })
            }
            EngineAddress::Tcp { host, port, tls } => {
                let tls = match tls {
                    Tls::Off => None,
                    Tls::Default => Some(match &folders.docker_certificates {
                        Some(folder) => folder.clone(),
                        None => folders.docker(engine)?,
                    }),
                    Tls::Folder(folder) => Some(folders.expand(engine, folder)?),
                };
                Ok(Self::Tcp { host: host.clone(), port: *port, tls })
            }
            EngineAddress::Context { name } => context(engine, name, folders),
        }
    }
}

impl Folders {
    fn home(&self, engine: &EngineAddress) -> Result<&Path> {
        let missing = || Problem::failed(format!("{engine} needs a home folder, and there is none"));
        self.home.as_deref().ok_or_else(|| missing().into())
    }

    fn docker(&self, engine: &EngineAddress) -> Result<PathBuf> {
        match &self.docker_config {
            Some(folder) => Ok(folder.clone()),
            None => Ok(self.home(engine)?.join(".docker")),
        }
    }

    fn expand(&self, engine: &EngineAddress, folder: &str) -> Result<PathBuf> {
        match folder.strip_prefix("~/") {
            Some(rest) => Ok(self.home(engine)?.join(rest)),
            None => Ok(self.workspace.join(folder)),
        }
    }
}

/// A context as the docker command keeps it: `contexts/meta/<sha256 of its name>/meta.json`, and its
/// certificates in `contexts/tls/<the same>/docker/`.
fn context(engine: &EngineAddress, name: &str, folders: &Folders) -> Result<Address> {
    let shown = quoted(name);
    if name == "default" {
        // It is no file: it stands for DOCKER_HOST, which differs from shell to shell.
        return Err(Problem::failed("the docker context `default` is not a fixed address")
            .hint("write what it stands for, as a rule: engine = \"unix:///var/run/docker.sock\"")
            .into());
    }
    let id: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let contexts = folders.docker(engine)?.join("contexts");
    let meta = contexts.join("meta").join(&id).join("meta.json");
    let text = read_text(&meta).map_err(|problems| {
        problems.map(|problem| {
            let what = format!("the docker context {shown} cannot be read");
            Problem::new(problem.code, what).because(&problem).hint("list them: docker context ls")
        })
    })?;
    let wrong = |why: &str| {
        Problem::failed(format!("the docker context {shown} cannot be used: {why}"))
            .hint(format!("see it: docker context inspect {shown}"))
    };
    let read: Value = serde_json::from_str(&text).map_err(|_| wrong("its file is not JSON"))?;
    let endpoint = &read["Endpoints"]["docker"];
    let host = endpoint["Host"].as_str().ok_or_else(|| wrong("it names no Engine"))?;
    if endpoint["SkipTLSVerify"].as_bool() == Some(true) {
        return Err(wrong("it does not check who answers, and credentials would go there").into());
    }
    let address = EngineAddress::parse(host)
        .map_err(|problems| problems.map(|problem| wrong(&escaped(host)).because(&problem)))?;
    if matches!(address, EngineAddress::Context { .. }) {
        return Err(wrong("it names another context").into());
    }
    let own = contexts.join("tls").join(&id).join("docker");
    match Address::of(&address, folders)? {
        // Its own certificates, where it has some, count on loopback too.
        Address::Tcp { host, port, tls } => {
            let tls = if own.is_dir() { Some(own) } else { tls };
            Ok(Address::Tcp { host, port, tls })
        }
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folders(root: &Path) -> Folders {
        Folders { workspace: root.join("work"), home: Some(root.join("home")), ..Folders::default() }
    }

    fn write_context(root: &Path, name: &str, meta: &str) -> PathBuf {
        let id: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
        let contexts = root.join("home/.docker/contexts");
        let folder = contexts.join("meta").join(&id);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("meta.json"), meta).expect("a file");
        contexts.join("tls").join(id).join("docker")
    }

    fn located(text: &str, folders: &Folders) -> Result<Address> {
        Address::of(&EngineAddress::parse(text).expect("an address"), folders)
    }

    #[test]
    fn a_docker_context_is_followed_with_its_certificates() {
        let root = tempfile::tempdir().expect("a folder");
        let own = write_context(
            root.path(),
            "prod",
            r#"{"Name":"prod","Endpoints":{"docker":{"Host":"tcp://web1:2376"}}}"#,
        );
        fs::create_dir_all(&own).expect("a folder");
        let expected = Address::Tcp { host: "web1".to_owned(), port: 2376, tls: Some(own) };
        assert_eq!(located("context:prod", &folders(root.path())).expect("found"), expected);
        write_context(root.path(), "far", r#"{"Endpoints":{"docker":{"Host":"ssh://deploy@web2"}}}"#);
        let far = located("context:far", &folders(root.path())).expect("found");
        assert_eq!(far.to_string(), "ssh://deploy@web2");
    }

    #[test]
    fn a_context_that_is_missing_checks_no_server_or_leads_on_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        for (name, meta, words) in [
            ("bare", r#"{"Endpoints":{}}"#, "names no Engine"),
            (
                "skip",
                r#"{"Endpoints":{"docker":{"Host":"tcp://a:1","SkipTLSVerify":true}}}"#,
                "does not check",
            ),
            ("loop", r#"{"Endpoints":{"docker":{"Host":"context:loop"}}}"#, "another context"),
            ("pipe", r#"{"Endpoints":{"docker":{"Host":"npipe:////./pipe/x"}}}"#, "npipe"),
            ("text", "x", "not JSON"),
        ] {
            write_context(root.path(), name, meta);
            let refused = located(&format!("context:{name}"), &folders(root.path())).expect_err("refused");
            assert!(refused.to_string().contains(words), "{refused}");
        }
        let missing = located("context:missing", &folders(root.path())).expect_err("missing");
        assert!(missing.to_string().contains("'missing' cannot be read"), "{missing}");
        assert!(located("context:default", &folders(root.path())).is_err());
    }

    #[test]
    fn certificates_are_looked_for_where_docker_keeps_them() {
        let root = Path::new("/r");
        let tls = |text: &str, folders: &Folders| match located(text, folders).expect("an address") {
            Address::Tcp { tls, .. } => tls,
            other => panic!("{other}"),
        };
        assert_eq!(tls("tcp://web1", &folders(root)), Some("/r/home/.docker".into()));
        let mut given = folders(root);
        given.docker_config = Some("/config".into());
        assert_eq!(tls("tcp://web1", &given), Some("/config".into()));
        given.docker_certificates = Some("/certs".into());
        assert_eq!(tls("tcp://web1", &given), Some("/certs".into()));
        assert_eq!(tls("tcp://127.0.0.1", &given), None);
        assert_eq!(
            folders(root).expand(&EngineAddress::parse("tcp://a").expect("one"), "tls/web1").expect("a path"),
            Path::new("/r/work/tls/web1")
        );
    }
}
