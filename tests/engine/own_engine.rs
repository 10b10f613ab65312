//! An Engine that a test has for itself.

use crate::testbed::{Api, EngineEnv, eventually, testbed_var};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Docker in a folder of its own.
pub(crate) struct OwnEngine {
    folder: PathBuf,
    pub(crate) api: Api,
    place: Place,
    /// It stays when the Engine goes.
    containerd: Option<u32>,
}

/// Where it runs.
enum Place {
    /// In a network of its own, with nothing but containers without a network.
    Apart,
    /// In the network of this testbed, with a bridge of its own, where it reaches the registry.
    Beside { testbed: PathBuf, bridge: String, subnet: String, registry: String },
}

/// As root, which an Engine needs.
fn root(program: &str, arguments: &[&str]) -> Command {
    let own = rustix::process::geteuid().is_root();
    let mut command = Command::new(if own { program } else { "sudo" });
    if !own {
        command.args(["-n", program]);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

impl OwnEngine {
    /// One that can be stopped and started.
    pub(crate) fn apart(bed: &EngineEnv) -> Self {
        Self::start(&bed.name, Place::Apart)
    }

    /// One more host.
    pub(crate) fn beside(bed: &EngineEnv) -> Self {
        Self::one_beside(bed, "", 233)
    }

    /// And another one.
    pub(crate) fn also_beside(bed: &EngineEnv) -> Self {
        Self::one_beside(bed, "c", 234)
    }

    fn one_beside(bed: &EngineEnv, suffix: &str, net: u8) -> Self {
        let testbed = bed.engine.socket().parent().expect("a folder").to_owned();
        // The name of an interface has 15 characters at most.
        let bridge = format!("pbx{}{suffix}", bed.name.trim_start_matches('t').replace('-', "b"));
        let subnet = format!("10.{net}.{}.1/24", std::process::id() % 250);
        let registry = bed.registry.clone();
        Self::start(&format!("{}{suffix}", bed.name), Place::Beside { testbed, bridge, subnet, registry })
    }

    fn start(name: &str, place: Place) -> Self {
        // The paths of sockets are short.
        let folder = PathBuf::from(format!("/tmp/pbx-{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        let mut engine = Self { api: Api::at(&folder.join("e.sock")), folder, place, containerd: None };
        fs::write(engine.folder.join("daemon.json"), "{}").expect("written");
        if let Place::Beside { bridge, subnet, .. } = &engine.place {
            engine.ip(&["link", "add", bridge, "type", "bridge"]);
            engine.ip(&["address", "add", subnet, "dev", bridge]);
        }
        let config = format!(
            "version = 2\nroot = \"{}\"\nstate = \"{}\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{}\"\n",
            engine.path("containerd"),
            engine.path("state"),
            engine.path("c.sock"),
        );
        fs::write(engine.folder.join("containerd.toml"), config).expect("written");
        engine.containerd = Some(engine.spawn("containerd", &["--config", &engine.path("containerd.toml")]));
        let socket = engine.folder.join("c.sock");
        assert!(eventually(|| socket.exists()), "containerd did not start");
        engine.run();
        engine
    }

    /// `--net=FILE` of the testbed's network.
    fn network(&self) -> String {
        let Place::Beside { testbed, .. } = &self.place else { return String::new() };
        let pid = fs::read_to_string(testbed.join("run/dockerd.pid")).expect("its Engine runs");
        format!("--net=/proc/{}/ns/net", pid.trim())
    }

    fn ip(&self, arguments: &[&str]) {
        let done = root("nsenter", &[&[self.network().as_str(), "--", "ip"], arguments].concat()).status();
        assert!(done.expect("nsenter").success(), "ip {arguments:?}");
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Starts it, again if need be.
    pub(crate) fn run(&self) {
        let pid = self.path("pid");
        let _ = root("rm", &["-f", &pid]).status();
        let group = rustix::process::getgid().as_raw().to_string();
        let (data, state, socket) = (self.path("data"), self.path("exec"), self.path("c.sock"));
        let (config, host) = (self.path("daemon.json"), format!("unix://{}", self.path("e.sock")));
        let open = testbed_var("PILLARBOX_TEST_OPEN_REGISTRY");
        let mut arguments = vec!["dockerd", "--config-file", &config, "--iptables=false"];
        arguments.extend(["--data-root", &data, "--exec-root", &state, "--pidfile", &pid, "--group", &group]);
        arguments.extend(["--containerd", &socket, "--exec-opt", "native.cgroupdriver=cgroupfs"]);
        arguments.extend(["--shutdown-timeout", "3", "--host", &host]);
        match &self.place {
            Place::Apart => {
                self.spawn("unshare", &[&["--net", "--"], &arguments[..], &["--bridge=none"]].concat());
            }
            Place::Beside { bridge, registry, .. } => {
                arguments.extend(["--bridge", bridge, "--insecure-registry", registry]);
                arguments.extend(["--insecure-registry", &open]);
                self.spawn("nsenter", &[&[self.network().as_str(), "--"], &arguments[..]].concat());
            }
        }
        let up = eventually(|| matches!(self.api.get("/_ping"), Ok((200, _))));
        assert!(up, "{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// Starts a program, waits for it elsewhere, and answers its process id.
    fn spawn(&self, program: &str, arguments: &[&str]) -> u32 {
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let errors = log.try_clone().expect("a log");
        let mut child = root(program, arguments).stdout(log).stderr(errors).spawn().expect("start a program");
        let id = child.id();
        std::thread::spawn(move || child.wait());
        id
    }

    /// Sends it a signal and waits until it is gone.
    pub(crate) fn stop(&self, signal: &str) {
        let Ok(pid) = fs::read_to_string(self.folder.join("pid")) else { return };
        let _ = root("kill", &[&format!("-{signal}"), pid.trim()]).status();
        let status = Path::new("/proc").join(pid.trim()).join("stat");
        // It may not have been waited for yet.
        let gone = eventually(|| fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z ")));
        assert!(gone, "dockerd does not stop");
    }

    /// Ends and starts it, and leaves a volume as one that is killed while it makes it does: a folder alone.
    pub(crate) fn leave_half_made(&self, volume: &str) {
        self.stop("TERM");
        let folder = self.path(&format!("data/volumes/{volume}/_data"));
        assert!(root("mkdir", &["-p", &folder]).status().expect("mkdir").success());
        self.run();
    }

    /// An image of the testbed's Engine, under the same name.
    pub(crate) fn load(&self, from: &EngineEnv, image: &str) {
        let file = self.path("image.tar");
        let docker = |host: &str, arguments: &[&str]| {
            let done = from.env.program("docker", arguments).var("DOCKER_HOST", host).run();
            drop(done.ok());
        };
        docker(&from.engine.address(), &["save", "-o", &file, image]);
        docker(&self.api.address(), &["load", "-i", &file]);
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if let Ok((200, Value::Array(all))) = self.api.get("/containers/json?all=1") {
            for one in &all {
                self.api.delete(&format!("/containers/{}?force=1", one["Id"].as_str().unwrap_or_default()));
            }
        }
        if let Ok((200, Value::Array(all))) = self.api.get("/networks") {
            // Those that every Engine has are not removed.
            for one in &all {
                self.api.delete(&format!("/networks/{}", one["Id"].as_str().unwrap_or_default()));
            }
        }
        self.stop("TERM");
        if let Place::Beside { bridge, .. } = &self.place {
            self.ip(&["link", "delete", bridge]);
        }
        if let Some(containerd) = self.containerd {
            let _ = root("kill", &["-TERM", &containerd.to_string()]).status();
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let ours = format!("{}/", self.folder.display());
        let mut mounts: Vec<&str> = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(1))
            .filter(|path| path.starts_with(&ours))
            .collect();
        mounts.sort_unstable();
        for mount in mounts.iter().rev() {
            let _ = root("umount", &["-l", mount]).status();
        }
        let _ = root("rm", &["-rf", "--one-file-system", &self.folder.display().to_string()]).status();
    }
}
