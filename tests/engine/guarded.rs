//! The real registry with token authentication, in front of a small issuer; and the same images without
//! any, to be pushed to.

use crate::issuer::{Issuer, NAME, SERVICE};
use crate::testbed::{EngineEnv, eventually, testbed_var};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// It runs beside the Engine's network, at an address that the Engine takes without TLS.
pub(crate) struct Guarded {
    /// What issues its tokens.
    pub(crate) issuer: Issuer,
    /// `HOST:PORT`.
    pub(crate) registry: String,
    pushes: String,
    running: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Guarded {
    /// Starts both.
    pub(crate) fn new() -> Self {
        let address = testbed_var("PILLARBOX_TEST_OUTSIDE");
        let folder = tempfile::tempdir().expect("a folder");
        let issuer = Issuer::start(&address, folder.path());
        let auth = format!(
            "auth:\n  token: {{ realm: \"{}\", service: {SERVICE}, issuer: {NAME}, rootcertbundle: {} }}\n",
            issuer.realm(),
            folder.path().join("issuer.pem").display()
        );
        let mut running = Vec::new();
        let mut start = |name: &str, auth: &str| {
            let (child, address) = serve(folder.path(), name, &address, auth);
            running.push(child);
            address
        };
        let (registry, pushes) = (start("guarded", &auth), start("pushes", ""));
        Self { issuer, registry, pushes, running, _folder: folder }
    }

    /// Pushes a version of an image below the test's own name; answers the repository.
    pub(crate) fn push(&self, env: &EngineEnv, name: &str, tag: &str) -> String {
        let path = format!("{}/{name}", env.name);
        let output = Command::new(testbed_var("PILLARBOX_TEST_IMAGE"))
            .args(["--page", &format!("{name} {tag}"), &format!("{}/{path}:{tag}", self.pushes)])
            .output()
            .expect("start scripts/image");
        assert!(output.status.success(), "scripts/image: {}", String::from_utf8_lossy(&output.stderr));
        format!("{}/{path}", self.registry)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a registry on a free port.
fn serve(folder: &Path, name: &str, address: &str, auth: &str) -> (Child, String) {
    for _ in 0..10 {
        let port = TcpListener::bind((address, 0)).and_then(|one| one.local_addr()).expect("a port").port();
        let address = format!("{address}:{port}");
        let config = folder.join(format!("{name}.yml"));
        let text = format!(
            "version: 0.1\nlog: {{ level: warn }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\n\
             http: {{ addr: \"{address}\" }}\n{auth}",
            folder.join("images").display()
        );
        fs::write(&config, text).expect("its configuration");
        let log = fs::File::create(folder.join(format!("{name}.log"))).expect("its log");
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its log"))
            .stderr(log)
            .spawn()
            .expect("start docker-registry");
        let mut ended = false;
        let up = eventually(|| {
            ended = child.try_wait().expect("its state").is_some();
            ended || TcpStream::connect(&address).is_ok()
        });
        if up && !ended {
            return (child, address);
        }
        // Another process took the port in between.
        let _ = child.kill();
        let _ = child.wait();
    }
    let log = fs::read_to_string(folder.join(format!("{name}.log"))).unwrap_or_default();
    panic!("the registry {name} does not start:\n{log}");
}
