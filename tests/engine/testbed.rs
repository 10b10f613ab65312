//! The Engine and the registry of `scripts/testbed`, and a workspace of its own for each test.

use crate::env::TestEnv;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A workspace that no other test uses, with an Engine and a registry. At its end everything on the
/// Engine that carries the workspace's name goes.
pub(crate) struct EngineEnv {
    /// The home and the workspace folder.
    pub(crate) env: TestEnv,
    /// The Engine, asked directly: what it says does not pass through the code under test.
    pub(crate) engine: Api,
    /// The workspace's name: in labels, and the first part of this test's repositories.
    pub(crate) name: String,
    /// `HOST:PORT` of the registry.
    pub(crate) registry: String,
    /// The registry's user.
    pub(crate) user: String,
    /// … and password.
    pub(crate) password: String,
    /// Where published ports answer.
    pub(crate) address: String,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A variable that `scripts/testbed` sets.
pub(crate) fn testbed_var(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: load the file `env` of scripts/testbed"))
}

impl EngineEnv {
    /// A fresh one; `None` where no testbed is given, which is said aloud, and a failure in CI.
    pub(crate) fn new() -> Option<Self> {
        let Some(engine) = std::env::var("PILLARBOX_TEST_ENGINE").ok().filter(|value| !value.is_empty())
        else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "PILLARBOX_TEST_ENGINE is not set in CI: run scripts/test"
            );
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not eprintln!, which the test runner swallows where a test passes.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: PILLARBOX_TEST_ENGINE is not set (scripts/test sets it)"
            );
            return None;
        };
        let socket = engine.strip_prefix("unix://").expect("PILLARBOX_TEST_ENGINE is unix://PATH");
        let name = format!("t{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Some(Self {
            env: TestEnv::named(&name),
            engine: Api { socket: socket.into() },
            name,
            registry: testbed_var("PILLARBOX_TEST_REGISTRY"),
            user: testbed_var("PILLARBOX_TEST_REGISTRY_USER"),
            password: testbed_var("PILLARBOX_TEST_REGISTRY_PASSWORD"),
            address: testbed_var("PILLARBOX_TEST_ADDRESS"),
        })
    }

    /// The same after `pillarbox init`, with one host `local` in a group `all` that gets every pillar
    /// file under `registries/`, the pillar file `apps` and the states given; the examples that `init`
    /// wrote are gone, its box and its reader stay. `apps.toml` is empty.
    pub(crate) fn initialised(states: &[&str]) -> Option<Self> {
        let this = Self::new()?;
        this.env.run(&["init"]).ok();
        // With an id that came later: what tests create by hand carries none.
        let text = this.env.read("pillarbox.toml");
        let (before, after) = text.split_once("[readers]").expect("an inventory");
        this.env.write("pillarbox.toml", format!("{before}owns_without_id = true\n\n[readers]{after}"));
        this.clear_examples();
        this.env.write("pillar/apps.toml", "");
        this.set_inventory(&[("local", &this.engine.address())], states);
        Some(this)
    }

    /// Whether containers can have limits: Podman from 6 on knows cgroups v2 alone, and the machine of the tests may
    /// have none of its controllers.
    pub(crate) fn has_limits(&self) -> bool {
        self.engine.inspect("/info")["MemoryLimit"] == json!(true) || self.is_rootless()
    }

    /// Whether a user runs Podman: then limits may be ignored, and are no error.
    pub(crate) fn is_rootless(&self) -> bool {
        let info = self.engine.inspect("/info");
        let options = info["SecurityOptions"].as_array().cloned().unwrap_or_default();
        info["Rootless"] == json!(true) || options.contains(&json!("name=rootless"))
    }

    /// The same with Podman as the Engine.
    pub(crate) fn on_podman(states: &[&str]) -> Option<Self> {
        let mut this = Self::initialised(states)?;
        let podman = testbed_var("PILLARBOX_TEST_PODMAN");
        this.engine.socket = podman.strip_prefix("unix://").expect("unix://PATH").into();
        this.set_inventory(&[("pod", &this.engine.address())], states);
        Some(this)
    }

    /// Writes hosts and the group `all` into `pillarbox.toml`, keeping the rest of it.
    pub(crate) fn set_inventory(&self, hosts: &[(&str, &str)], states: &[&str]) {
        let mut inventory: toml_edit::DocumentMut =
            self.env.read("pillarbox.toml").parse().expect("pillarbox.toml is TOML");
        inventory.remove("hosts");
        inventory.remove("groups");
        let states: toml_edit::Array = states.iter().copied().collect();
        let mut text =
            format!("{inventory}\n[groups.all]\npillar = [\"registries/*\", \"apps\"]\nstates = {states}\n");
        for (host, engine) in hosts {
            text.push_str(&format!("[hosts.{host}]\nengine = \"{engine}\"\ngroups = [\"all\"]\n"));
        }
        self.env.write("pillarbox.toml", text);
    }

    fn clear_examples(&self) {
        for path in self.env.files().keys() {
            let text = path.to_string_lossy();
            let example =
                text.starts_with("states/") || (text.starts_with("pillar/") && !text.ends_with("box.toml"));
            if example {
                fs::remove_file(self.env.workspace().join(path)).expect("an example");
            }
        }
    }

    /// Puts the registry's credential into the pillar with the real command.
    pub(crate) fn add_registry(&self) {
        self.env
            .run_with_input(
                &["registry", "add", &self.registry, "-u", &self.user, "--password-stdin"],
                format!("{}\n", self.password),
            )
            .ok();
    }

    /// Makes and pushes an image of a kind that `scripts/image` knows (`serve`, `healthy`, `unhealthy`,
    /// `exits`, `deaf`); its page is `NAME TAG`. Returns the repository, unique to this test, and the digest.
    pub(crate) fn push(&self, kind: &str, name: &str, tag: &str) -> (String, String) {
        self.push_page(kind, name, tag, &format!("{name} {tag}"))
    }

    /// The same for another processor (`arm64`), which it only says.
    pub(crate) fn push_for(&self, arch: &str, name: &str, tag: &str) -> (String, String) {
        self.push_with(&["--arch", arch], "serve", name, tag, &format!("{name} {tag}"))
    }

    /// The same with a page of its own: pushing one tag twice with two pages moves it.
    pub(crate) fn push_page(&self, kind: &str, name: &str, tag: &str, page: &str) -> (String, String) {
        self.push_with(&[], kind, name, tag, page)
    }

    /// Makes and pushes an image that runs a script; the two tags that a test gives it differ in their page.
    pub(crate) fn push_script(&self, script: &str, name: &str, tag: &str) -> (String, String) {
        self.push_with(&["--run", script], "run", name, tag, &format!("{name} {tag}"))
    }

    /// Makes and pushes an image with programs and files of this machine (`--program PATH`, `--file FROM:TO`), and what
    /// it does with them.
    pub(crate) fn push_programs(&self, taken: &[&str], script: &str, name: &str, tag: &str) -> String {
        let more = [taken, &["--run", script]].concat();
        self.push_with(&more, "run", name, tag, &format!("{name} {tag}")).0
    }

    /// Makes and pushes an image that serves a page out of its volume `/data`, to which each start adds the tag.
    pub(crate) fn push_data(&self, name: &str, tag: &str) -> (String, String) {
        let script = format!(
            "echo {tag} >> /data/index.html; trap 'exit 0' TERM INT QUIT; httpd -f -p 80 -h /data & wait $!"
        );
        self.push_with(&["--volume", "/data", "--run", &script], "run", name, tag, tag)
    }

    fn push_with(&self, more: &[&str], kind: &str, name: &str, tag: &str, page: &str) -> (String, String) {
        let repository = format!("{}/{}/{name}", self.registry, self.name);
        let output = Command::new(testbed_var("PILLARBOX_TEST_IMAGE"))
            .args(more)
            // No other test has the same image: one that takes its own away takes none of theirs.
            .args(["--label", &format!("test={}", self.name)])
            .args(["--kind", kind, "--page", page, &format!("{repository}:{tag}")])
            .env("REGISTRY_USER", &self.user)
            .env("REGISTRY_PASSWORD", &self.password)
            .output()
            .expect("start scripts/image");
        assert!(output.status.success(), "scripts/image: {}", String::from_utf8_lossy(&output.stderr));
        let line = String::from_utf8(output.stdout).expect("UTF-8");
        let (_, digest) = line.trim().split_once('@').expect("NAME@DIGEST");
        (repository, digest.to_owned())
    }

    /// `docker image prune`, of the images of this test alone.
    pub(crate) fn prune_images(&self) {
        let filters = json!({ "dangling": ["true"], "label": [format!("test={}", self.name)] });
        let path = format!("/images/prune?filters={}", encoded(&filters.to_string()));
        // An Engine does one at a time.
        let done = eventually(|| matches!(self.engine.request("POST", &path, None), Ok((200, _))));
        assert!(done, "POST {path}");
    }

    /// Adds a user to the registry; it reads its file again at the next request.
    pub(crate) fn add_registry_user(&self, user: &str, password: &str) {
        let mut child = Command::new("htpasswd")
            .args(["-Bin", "-C", "4", user])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("start htpasswd");
        child
            .stdin
            .take()
            .expect("stdin")
            .write_all(format!("{password}\n").as_bytes())
            .expect("its password");
        let output = child.wait_with_output().expect("htpasswd");
        assert!(output.status.success(), "htpasswd failed");
        // One write to a file opened for appending: tests that run beside this one lose nothing.
        let file = testbed_var("PILLARBOX_TEST_REGISTRY_HTPASSWD");
        let mut file = fs::OpenOptions::new().append(true).open(file).expect("the registry's users");
        file.write_all(String::from_utf8_lossy(&output.stdout).trim_start().as_bytes())
            .expect("one more user");
    }

    /// A port that no other test of this testbed gets, also not in another process.
    pub(crate) fn port(&self) -> u16 {
        let path = self.engine.socket.with_file_name("next-port");
        let mut file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.lock().expect("the lock of the file of ports");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("the file of ports");
        let last: u16 = text.trim().parse().unwrap_or(20_000);
        let port = if last >= 29_999 { 20_000 } else { last + 1 };
        fs::write(&path, port.to_string()).expect("the file of ports");
        port
    }

    /// The body that a published port answers with, or why it does not.
    pub(crate) fn http(&self, port: u16) -> Result<String, String> {
        self.http_at(port, "/")
    }

    /// The same of a path.
    pub(crate) fn http_at(&self, port: u16, path: &str) -> Result<String, String> {
        let connected = TcpStream::connect((self.address.as_str(), port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            exchange(&mut stream, "GET", path, None)
        });
        match connected.map_err(|error| error.to_string())? {
            (200, body) => Ok(String::from_utf8_lossy(&body).trim().to_owned()),
            (status, _) => Err(format!("status {status}")),
        }
    }

    /// Waits until a published port answers with this page.
    #[track_caller]
    pub(crate) fn answers(&self, port: u16, page: &str) {
        let mut last = Err(String::new());
        let found = eventually(|| {
            last = self.http(port);
            last.as_deref() == Ok(page)
        });
        assert!(found, "port {port} does not answer {page:?}: {last:?}; {:?}", self.containers());
    }

    /// Four clients ask again and again while something is done; how often, and every answer that was none.
    pub(crate) fn while_asked<T>(&self, port: u16, work: impl FnOnce() -> T) -> (T, usize, Vec<String>) {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let client = || {
                let (mut asked, mut failed) = (0, Vec::new());
                while !over.load(Ordering::Relaxed) {
                    asked += 1;
                    failed.extend(self.http(port).err());
                    std::thread::sleep(Duration::from_millis(5));
                }
                (asked, failed)
            };
            let clients = [0; 4].map(|_| scope.spawn(client));
            let done = work();
            over.store(true, Ordering::Relaxed);
            let (mut asked, mut failed) = (0, Vec::new());
            for one in clients {
                let (more, wrong) = one.join().expect("a client");
                asked += more;
                failed.extend(wrong);
            }
            (done, asked, failed)
        })
    }

    /// The containers that carry this workspace's label, stopped ones too.
    pub(crate) fn containers(&self) -> Vec<Value> {
        self.engine.containers(Some(("label", format!("io.pillarbox.workspace={}", self.name))))
    }
}

impl Drop for EngineEnv {
    fn drop(&mut self) {
        // Its Engine may be gone: what cannot be looked at is not taken away.
        if !matches!(self.engine.get("/_ping"), Ok((200, _))) {
            return;
        }
        let named = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        // Made by hand, under a name of this test.
        let own = self.engine.containers(Some(("name", format!("^/{}-", self.name))));
        for container in self.containers().into_iter().chain(own) {
            self.engine.delete(&format!("/containers/{}?force=1&v=1", named(&container, "Id")));
        }
        // Our names begin with `pillarbox`, and hold the workspace's between two dots.
        let dotted = format!(".{}.", self.name);
        let of_workspace = |value: &Value| value["Labels"]["io.pillarbox.workspace"] == self.name.as_str();
        for volume in self.engine.volumes() {
            let name = named(&volume, "Name");
            if of_workspace(&volume) || (name.starts_with("pillarbox-") && name.contains(&dotted)) {
                self.engine.delete(&format!("/volumes/{name}?force=1"));
            }
        }
        for network in self.engine.networks().iter().filter(|network| of_workspace(network)) {
            self.engine.delete(&format!("/networks/{}", named(network, "Id")));
        }
        let part = format!("/{}/", self.name);
        for image in self.engine.images() {
            for reference in
                ["RepoTags", "RepoDigests"].iter().flat_map(|key| image[key].as_array().into_iter().flatten())
            {
                if let Some(reference) = reference.as_str().filter(|reference| reference.contains(&part)) {
                    self.engine.delete(&format!("/images/{reference}?force=1"));
                }
            }
        }
    }
}

/// Tries for twenty seconds.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The Engine at a socket. What is there is looked at through `witness`; the rest is one connection per request,
/// standard library only.
pub(crate) struct Api {
    socket: PathBuf,
}

impl Api {
    /// The Engine at a socket.
    pub(crate) fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// `unix://…`, as `pillarbox.toml` wants it.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// One request; the status and the body (null where it is not JSON).
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> std::io::Result<(u16, Value)> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let (status, bytes) = exchange(&mut stream, method, path, body)?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// GET.
    pub(crate) fn get(&self, path: &str) -> std::io::Result<(u16, Value)> {
        self.request("GET", path, None)
    }

    /// GET that must work.
    #[track_caller]
    pub(crate) fn inspect(&self, path: &str) -> Value {
        let (status, value) = self.get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"));
        assert!(status == 200, "GET {path}: {status} {value}");
        value
    }

    /// POST that must work.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, value) =
            self.request("POST", path, Some(body)).unwrap_or_else(|error| panic!("POST {path}: {error}"));
        assert!((200..400).contains(&status), "POST {path}: {status} {value}");
        value
    }

    /// DELETE; what is gone already is fine.
    pub(crate) fn delete(&self, path: &str) {
        let _ = self.request("DELETE", path, None);
    }
}

/// HTTP/1.0: the answer ends with the connection and has no chunks.
fn exchange(
    stream: &mut (impl std::io::Read + std::io::Write),
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> std::io::Result<(u16, Vec<u8>)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // An Engine that does not want the body may answer and close the connection before it has all of it.
    match stream.write_all(request.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error),
        _ => {}
    }
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer)
        && (error.kind() != std::io::ErrorKind::ConnectionReset || answer.is_empty())
    {
        return Err(error);
    }
    let invalid = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not an HTTP answer");
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(invalid)?;
    let status =
        std::str::from_utf8(&answer[..head]).ok().and_then(|head| head.split(' ').nth(1)?.parse().ok());
    Ok((status.ok_or_else(invalid)?, answer.split_off(head + 4)))
}

/// Percent-encoding of a query's value.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
