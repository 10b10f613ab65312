//! An Engine that is restarted while an apply is under way, by SIGTERM and by SIGKILL: what worked works
//! again, and the next apply converges. The Engine is one of its own, so that nobody else notices.

use crate::cut::cut;
use crate::env::Output;
use crate::testbed::{Api, EngineEnv, eventually};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Docker with nothing but containers without a network, in a folder of its own.
struct OwnEngine {
    folder: PathBuf,
    api: Api,
    /// It stays when the Engine goes.
    containerd: Option<u32>,
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
    fn start(name: &str) -> Self {
        // The paths of sockets are short.
        let folder = PathBuf::from(format!("/tmp/pbx-{name}"));
        fs::create_dir_all(&folder).expect("a folder");
        let mut engine = Self { api: Api::at(&folder.join("e.sock")), folder, containerd: None };
        fs::write(engine.folder.join("daemon.json"), "{}").expect("written");
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

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Starts it, again if need be.
    fn run(&self) {
        let pid = self.path("pid");
        let _ = root("rm", &["-f", &pid]).status();
        let group = rustix::process::getgid().as_raw().to_string();
        let arguments = [
            "--net",
            "--",
            "dockerd",
            "--config-file",
            &self.path("daemon.json"),
            "--bridge=none",
            "--iptables=false",
            "--data-root",
            &self.path("data"),
            "--exec-root",
            &self.path("exec"),
            "--pidfile",
            &pid,
            "--group",
            &group,
            "--containerd",
            &self.path("c.sock"),
            "--exec-opt",
            "native.cgroupdriver=cgroupfs",
            "--shutdown-timeout",
            "3",
            "--host",
            &format!("unix://{}", self.path("e.sock")),
        ];
        self.spawn("unshare", &arguments);
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
    fn stop(&self, signal: &str) {
        let Ok(pid) = fs::read_to_string(self.folder.join("pid")) else { return };
        let _ = root("kill", &[&format!("-{signal}"), pid.trim()]).status();
        let status = Path::new("/proc").join(pid.trim()).join("stat");
        // Nobody may have waited for it yet.
        let gone = eventually(|| fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z ")));
        assert!(gone, "dockerd does not stop");
    }

    /// An image of the testbed's Engine, under the same name.
    fn load(&self, from: &EngineEnv, image: &str) {
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
        self.stop("TERM");
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

/// The number of moments at which an upgrade was cut off by an Engine that went away.
fn restarted_by(signal: &str) {
    let Some(bed) = EngineEnv::initialised(&["api"]) else { return };
    bed.add_registry();
    let engine = OwnEngine::start(&bed.name);
    for version in ["1.0.0", "1.1.0"] {
        let (repository, _) = bed.push("healthy", "api", version);
        let image = format!("{repository}:{version}");
        let pulled = format!("[api.image.pulled]\nname = \"{repository}\"\ntag = \"{version}\"\n");
        bed.env.write("states/api.toml", pulled);
        bed.env.run(&["apply", "-y"]).ok();
        engine.load(&bed, &image);
    }
    bed.set_inventory(&[("own", &engine.api.address())], &["api"]);
    let name = format!("{}-api", bed.name);
    let want = |version: &str| {
        let image = format!("{}/{}/api:{version}", bed.registry, bed.name);
        let state = format!(
            "[api.service.deployed]\nname = \"{name}\"\nimage = \"{image}\"\npull = \"never\"\nnetwork_mode = \"none\"\n\
             restart = \"always\"\nstop_timeout = \"1s\"\nretain = 0\nupdate = {{ drain = \"0s\" }}\n"
        );
        bed.env.write("states/api.toml", state);
    };
    want("1.0.0");
    bed.env.run(&["apply", "-y"]).ok();
    let healthy = || match engine.api.get("/containers/json") {
        Ok((200, Value::Array(all))) => {
            all.iter().any(|one| one["Status"].as_str().is_some_and(|status| status.contains("(healthy)")))
        }
        _ => false,
    };
    let mut moments = 0;
    for lines in (3..).step_by(3) {
        let version = ["1.1.0", "1.0.0"][moments % 2];
        want(version);
        let restart = |_: &Child| {
            engine.stop(signal);
            engine.run();
        };
        let Some(cut) = cut(bed.env.command(&["apply", "-y", "-v"]), lines, restart) else { break };
        moments += 1;
        assert!([0, 1, 3].contains(&cut.code), "{}: {}", cut.code, cut.said);
        assert!(eventually(healthy), "nothing works after {}", cut.said);
        let after: Output = bed.env.run(&["apply", "-y"]);
        assert_eq!(after.code, 0, "{after}\nafter: {}", cut.said);
        let (_, all) = engine.api.get("/containers/json?all=1").expect("an answer");
        let all: Vec<&Value> = all.as_array().expect("a list").iter().collect();
        assert_eq!(all.len(), 1, "{all:?} after {}", cut.said);
        assert_eq!(all[0]["Names"], json!([format!("/{name}")]));
        assert_eq!(all[0]["Labels"]["io.pillarbox.version"], version);
        bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    }
    assert!(moments >= 4, "only {moments} moments");
}

#[test]
fn an_engine_that_is_restarted_gently_in_an_upgrade_leaves_something_that_works() {
    restarted_by("TERM");
}

#[test]
fn an_engine_that_is_killed_in_an_upgrade_leaves_something_that_works() {
    restarted_by("KILL");
}
