//! From the address that the inventory gives to one that can be dialled: certificates of `tcp://`, what
//! a docker context stands for.

use super::context::Session;
use crate::engine::Address;
use crate::engine::docker::authorities;
use crate::inventory::{EngineAddress, Host, Tls};
use crate::pillar::known::KnownHost;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::store;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// Where a host's Engine is dialled, and what decides who answers there, but for the Engine's own id; `root`
/// is the workspace's folder.
///
/// # Errors
/// Where there is no home folder to find certificates in, they lie in the workspace, or a docker context
/// cannot be read.
pub fn dialled(session: &Session, root: &Path, host: &Host) -> Result<(Address, KnownHost)> {
    let here = |problems: Problems| problems.map(|one| one.at(&host.place));
    let (address, leads_to) = match &host.engine {
        EngineAddress::Context { name } => {
            let (engine, tls) = context(session, name).map_err(here)?;
            (resolved(session, root, &engine, tls)?, Some(engine.to_string()))
        }
        engine => (resolved(session, root, engine, None)?, None),
    };
    let mut seen = KnownHost { address: host.engine.to_string(), leads_to, ..KnownHost::default() };
    match &address {
        Address::Tcp { tls: None, .. } => seen.tls = Some("none".to_owned()),
        Address::Tcp { tls: Some(folder), .. } => {
            outside(root, folder, host)?;
            seen.tls = Some(folder.display().to_string());
            seen.ca = authorities(folder);
        }
        Address::Unix(path) => {
            // Nothing answers at one that is not there; if it comes meanwhile, its owner was not looked at.
            seen.stranger =
                store::stranger_of_socket(path).unwrap_or_else(|error| Some(format!("unknown ({error})")));
        }
        Address::Ssh { .. } => {}
    }
    Ok((address, seen))
}

/// Whoever can write to the workspace would choose who is taken for the Engine.
fn outside(root: &Path, folder: &Path, host: &Host) -> Result<()> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if !folder.starts_with(root) && !real(folder).starts_with(real(root)) {
        return Ok(());
    }
    Err(Problem::failed(format!("the certificates of host {} lie in the workspace", host.name))
        .at(&host.place)
        .cause(format!(
            "{}: who can write to the workspace could put their own ca.pem there, and take the place of the Engine",
            folder.display()
        ))
        .hint("keep them where only you can write, and name that folder: tls = \"~/.docker/web1\"")
        .into())
}

fn resolved(
    session: &Session,
    root: &Path,
    engine: &EngineAddress,
    certificates: Option<PathBuf>,
) -> Result<Address> {
    Ok(match engine {
        EngineAddress::Unix { path } => Address::Unix(PathBuf::from(path)),
        EngineAddress::Tcp { host, port, tls } => {
            let tls = match (certificates, tls) {
                (Some(folder), _) => Some(folder),
                (None, Tls::Off) => None,
                (None, Tls::Folder(folder)) => Some(session.paths()?.expand(folder, root)),
                (None, Tls::Default) => Some(match &session.env.docker_certificates {
                    Some(folder) => session.absolute(folder),
                    None => docker_folder(session)?,
                }),
            };
            Address::Tcp { host: host.clone(), port: *port, tls }
        }
        EngineAddress::Ssh { user, host, port, socket } => {
            Address::Ssh { user: user.clone(), host: host.clone(), port: *port, path: socket.clone() }
        }
        EngineAddress::Context { name } => {
            return Err(
                Problem::failed(format!("the docker context `{name}` leads to another context")).into()
            );
        }
    })
}

fn docker_folder(session: &Session) -> Result<PathBuf> {
    match &session.env.docker_config {
        Some(folder) => Ok(session.absolute(folder)),
        None => Ok(session.paths()?.home.join(".docker")),
    }
}

/// What a docker context stands for, and its certificates. Format: `docker/cli`, `cli/context/store`:
/// `contexts/meta/<sha256 of the name>/meta.json` and `contexts/tls/<same>/docker/`.
fn context(session: &Session, name: &str) -> Result<(EngineAddress, Option<PathBuf>)> {
    let contexts = docker_folder(session)?.join("contexts");
    let id: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let unreadable = || {
        Problem::failed(format!("the docker context `{}` cannot be read", escaped(name)))
            .hint("see which there are: docker context ls")
    };
    let text = store::read_private(&contexts.join("meta").join(&id).join("meta.json"))?
        .ok_or_else(|| unreadable().cause("this machine has none of that name"))?;
    let meta: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| unreadable().because(&error))?;
    let host = meta["Endpoints"]["docker"]["Host"]
        .as_str()
        .ok_or_else(|| unreadable().cause("it has no address of an Engine"))?;
    let engine = EngineAddress::parse(host)?;
    let tls = contexts.join("tls").join(&id).join("docker");
    Ok((engine, tls.join("cert.pem").exists().then_some(tls)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::environment::Environment;

    fn dial(config: &Path, engine: &str) -> Result<Address> {
        let inventory = format!("workspace = \"shop\"\n[hosts.web1]\nengine = \"{engine}\"\n");
        let inventory = crate::inventory::Inventory::parse(&inventory).expect("an inventory");
        let session = Session::for_tests(Environment {
            docker_config: Some(config.to_path_buf()),
            ..Environment::default()
        });
        let host = inventory.hosts.values().next().expect("a host");
        dialled(&session, Path::new("/srv/shop"), host).map(|(address, _)| address)
    }

    #[test]
    fn a_docker_context_is_followed_to_its_engine_and_certificates() {
        let dir = tempfile::tempdir().expect("a folder");
        // sha256 of `lab`.
        let id = Sha256::digest(b"lab").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let meta = dir.path().join("contexts/meta").join(&id);
        let tls = dir.path().join("contexts/tls").join(&id).join("docker");
        std::fs::create_dir_all(&meta).expect("made");
        std::fs::create_dir_all(&tls).expect("made");
        std::fs::write(tls.join("cert.pem"), "").expect("written");
        let text = r#"{"Name":"lab","Endpoints":{"docker":{"Host":"tcp://lab.example.com:2376"}}}"#;
        std::fs::write(meta.join("meta.json"), text).expect("written");
        let address = dial(dir.path(), "context:lab").expect("an address");
        assert_eq!(address, Address::Tcp { host: "lab.example.com".to_owned(), port: 2376, tls: Some(tls) });
        let problems = dial(dir.path(), "context:other").expect_err("there is none");
        assert!(problems.to_string().contains("pillarbox.toml:2"), "{problems}");
    }

    #[test]
    fn certificates_of_tcp_are_dockers_own_unless_named() {
        let address = dial(Path::new("/etc/docker-of-mine"), "tcp://web1.example.com").expect("an address");
        let tls = Some(PathBuf::from("/etc/docker-of-mine"));
        assert_eq!(address, Address::Tcp { host: "web1.example.com".to_owned(), port: 2376, tls });
    }
}
