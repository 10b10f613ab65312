//! An Engine over its HTTP API: Docker from 20.10 (API 1.41) on, and Podman, which offers the same.
//!
//! Bodies and answers are plain JSON, so that nothing an Engine says or a plan asks for is lost in
//! a model of it.

mod answer;
mod archive;
mod bounds;
mod call;
mod connection;
mod dial;
mod file;
mod filled;
mod frames;
mod logs;
mod podman;
mod progress;
mod refusal;
mod ssh;
mod streams;
mod tls;
mod usage;
mod version;

use super::{
    Address, CreateBody, Disk, Engine, EngineError, EngineResult, ErrorKind, Filling, Inspected, Manifest,
    Network, PullProgress, Summary, Tag, Usage, Volume,
};
use crate::inspect::Gaps;
use crate::name::{ImageRef, RegistryHost};
use crate::observed::{Facts, FileStat, Image};
use crate::registry::AuthHeader;
use crate::secret::Secret;
use answer::List;
use bounds::Bounds;
use call::{Call, query, segment};
use connection::Http;
use hyper::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};
use version::Api;

pub use ssh::limit_logins;
pub use tls::authorities;

/// How long an Engine may take to count what is in its volumes, beside other work.
const COUNTING: Duration = Duration::from_secs(1800);
/// How long after a crash Podman may take to start a container again: 0.2 s on an idle host (4.3.1), and more
/// than 2 s were seen on a busy one.
const RESTARTS: Duration = Duration::from_secs(5);
/// How long it is tried to catch a container that crashes again and again while it runs.
const CATCHING: Duration = Duration::from_secs(30);
/// How often one tries meanwhile.
const GLANCE: Duration = Duration::from_millis(20);
/// How often a network is removed that still counts endpoints.
const NETWORK_TRIES: u32 = 5;
/// How long is waited in between.
const COUNTED: Duration = Duration::from_millis(300);
/// How often a list is asked for on which something is just going.
const LIST_TRIES: u32 = 4;
/// How often an image is pulled of which a layer is just going.
const PULL_TRIES: u32 = 5;

/// A connection to an Engine.
pub struct Docker {
    http: Http,
    api: Api,
    /// The version of Podman, if it is one.
    podman: Option<String>,
    /// Whether Podman runs without root; known once it was asked.
    rootless: OnceCell<bool>,
}

impl Docker {
    /// Connects and agrees on a version of the API.
    ///
    /// # Errors
    /// `Unreachable` with what to do, where it does not answer; `TooOld` with both numbers.
    pub async fn connect(address: &Address) -> EngineResult<Self> {
        let http = Http::new(dial::Dial::new(address).await?);
        let answer = http.send(Call::new(Method::GET, "/_ping").within(Bounds::FIRST)).await?;
        let api = Api::agree(answer.header("Api-Version"));
        let podman = answer.header("Libpod-API-Version").map(str::to_owned);
        answer.drain().await?;
        http.be_patient();
        Ok(Self { http, api: api?, podman, rootless: OnceCell::new() })
    }

    /// What is to be read was read. Keeps one connection open: there may be a thousand Engines that nothing is asked
    /// for a while. Until then reads are repeated while the Engine is restarted.
    pub fn end_reading(&self) {
        self.http.end_reading();
    }

    /// Stops a container; answers whether it ran.
    async fn stopped(&self, id: &str, timeout: Option<u32>) -> EngineResult<bool> {
        let seconds = timeout.map(|seconds| seconds.to_string());
        let wanted = seconds.as_deref().map_or(String::new(), |seconds| query(&[("t", seconds)]));
        let bounds =
            timeout.map_or(Bounds::STOP, |timeout| Bounds::SHORT.and(Duration::from_secs(timeout.into())));
        let call = self.call(Method::POST, &format!("/containers/{}/stop{wanted}", segment(id)));
        let answer = self.http.send(call.within(bounds)).await?;
        let did = answer.did_something();
        answer.drain().await?;
        Ok(did)
    }

    /// Podman calls one that crashed stopped, and starts it again by its restart policy all the same: only a stop
    /// while it runs ends that, and not even that one where it crashes meanwhile (4.3.1). So one that crashes is
    /// stopped once it has not been started for long enough. And one that ended by itself is stopped once Podman has
    /// cleaned up after it: that takes away the port from the next container that publishes it (5.4.2).
    async fn stop_between_crashes(&self, id: &str, timeout: Option<u32>) -> EngineResult<()> {
        let Some(before) = self.container(id).await? else {
            return self.stopped(id, timeout).await.map(|_| ());
        };
        let crashes = before.state.restart_count > 0;
        let began = Instant::now();
        let (mut quiet_since, mut run) = (began, before.state.started_at);
        loop {
            if self.stopped(id, timeout).await? && !crashes && before.state.running {
                return Ok(());
            }
            let Some(now) = self.container(id).await? else { return Ok(()) };
            if run != now.state.started_at {
                (quiet_since, run) = (Instant::now(), now.state.started_at.clone());
            }
            let rests = !podman::starts_again(&now) && podman::is_cleaned_up(&now);
            if !now.state.running && (rests || quiet_since.elapsed() > RESTARTS) {
                return Ok(());
            }
            if began.elapsed() > CATCHING {
                let words = "it crashes and is started again faster than it can be stopped";
                let by_hand =
                    format!("remove it by hand, with its log: podman rm -f {}", id.get(..12).unwrap_or(id));
                return Err(EngineError::new(ErrorKind::Other, 304, words).hint(by_hand));
            }
            sleep(GLANCE).await;
        }
    }

    /// Whether Podman runs without root, which is asked once.
    async fn is_rootless(&self) -> EngineResult<bool> {
        let ask = || async {
            let info: answer::Info = self.get("/info", Bounds::WHOLE).await?;
            Ok::<bool, EngineError>(info.is_rootless())
        };
        self.rootless.get_or_try_init(ask).await.copied()
    }

    /// A call of the agreed version.
    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, &format!("/v{}{path}", self.api))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, bounds: Bounds) -> EngineResult<T> {
        self.http.object(self.call(Method::GET, path).within(bounds)).await
    }

    /// A list. One fails while something on it is just going: as "not found" with containerd's store (28.5.2), as
    /// a failure of Podman's with the name of what is gone (4.3.1).
    async fn list<T: DeserializeOwned>(&self, path: &str, bounds: Bounds) -> EngineResult<List<T>> {
        let going = |error: &EngineError| {
            let names_it = ["image not known", "no such container", "no such image"];
            let gone = names_it.iter().any(|words| error.message.contains(words));
            error.kind == ErrorKind::NotFound || self.podman.is_some() && error.status == 500 && gone
        };
        let mut tried = 1;
        loop {
            match self.http.json(self.call(Method::GET, path).within(bounds)).await {
                Err(error) if tried < LIST_TRIES && going(&error) => tried += 1,
                answer => return answer,
            }
        }
    }

    fn listing_volumes(&self, label: &str, value: &str) -> Call {
        let filters = json!({ "label": [format!("{label}={value}")] }).to_string();
        let path = format!("/volumes{}", query(&[("filters", &filters)]));
        self.call(Method::GET, &path).within(Bounds::WHOLE)
    }

    /// A call with a JSON body.
    fn posting(&self, path: &str, body: &Value) -> EngineResult<Call> {
        self.call(Method::POST, path).body(body)
    }

    /// A call that says nothing but that it did what it should.
    async fn post(&self, path: &str, body: Option<&Value>) -> EngineResult<()> {
        let call = match body {
            Some(body) => self.posting(path, body)?,
            None => self.call(Method::POST, path),
        };
        self.http.done(call).await
    }

    async fn delete(&self, path: &str) -> EngineResult<()> {
        self.http.done(self.call(Method::DELETE, path)).await
    }
}

/// `Ok(None)` for what is not there.
fn absent<T>(answer: EngineResult<T>) -> EngineResult<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Engine for Docker {
    async fn facts(&self) -> EngineResult<Facts> {
        let info: answer::Info = self.get("/info", Bounds::WHOLE).await?;
        let _ = self.rootless.set(info.is_rootless());
        Ok(info.facts(self.api, self.podman.as_deref()))
    }

    async fn now(&self) -> EngineResult<i64> {
        let answer = self.http.send(self.call(Method::GET, "/_ping")).await?;
        let date = answer.date();
        answer.drain().await?;
        date
    }

    async fn containers(&self) -> EngineResult<Vec<Summary>> {
        Ok(answer::summaries(self.list("/containers/json?all=1", Bounds::LIST).await?))
    }

    async fn container(&self, id: &str) -> EngineResult<Option<Inspected>> {
        let answer = self.get(&format!("/containers/{}/json", segment(id)), Bounds::WHOLE).await;
        let Some(found) = absent(answer)? else { return Ok(None) };
        let (found, gaps) = match self.podman {
            Some(_) => (podman::in_dockers_terms(found), podman::gaps(self.is_rootless().await?)),
            None => (found, Gaps::default()),
        };
        answer::inspected(found, gaps).map(Some)
    }

    async fn image(&self, reference: &str) -> EngineResult<Option<Image>> {
        let answer = self.get(&format!("/images/{}/json", segment(reference)), Bounds::WHOLE).await;
        Ok(absent(answer)?.map(answer::ImageInspect::image))
    }

    async fn tags(&self, folder: &str) -> EngineResult<Vec<Tag>> {
        let filters = json!({ "reference": [format!("{folder}/*")] }).to_string();
        let path = format!("/images/json{}", query(&[("filters", &filters)]));
        Ok(answer::tags(self.list(&path, Bounds::LIST).await?, folder))
    }

    async fn disk(&self) -> EngineResult<Disk> {
        let found: answer::DiskUsage = self.get("/system/df", Bounds::LIST.and(COUNTING)).await?;
        Ok(found.disk())
    }

    async fn usage(&self, id: &str) -> EngineResult<Option<Usage>> {
        let path = format!("/containers/{}/stats?stream=false", segment(id));
        let found: EngineResult<usage::Stats> = self.get(&path, Bounds::WHOLE).await;
        Ok(absent(found)?.map(usage::Stats::usage))
    }

    async fn resolve(&self, image: &ImageRef, auth: Option<&AuthHeader>) -> EngineResult<Manifest> {
        let path = format!("/distribution/{}/json", segment(&image.to_string()));
        let call =
            self.call(Method::GET, &path).within(Bounds::REGISTRY).auth(auth, refusal::names(image))?;
        let answer: EngineResult<answer::Distribution> = self.http.object(call).await;
        let answer = answer.map_err(|error| refusal::of_resolve(error, image, auth.is_some()))?;
        let (digest, platforms) = answer.read();
        Ok(Manifest { digest, platforms })
    }

    async fn login(&self, registry: &RegistryHost, auth: &AuthHeader) -> EngineResult<()> {
        let call = self.call(Method::POST, "/auth").within(Bounds::REGISTRY).json(auth.reveal_json());
        let call = call.secret(refusal::names_of(registry));
        // It may hold a token: it is not read.
        self.http.done(call).await.map_err(|error| refusal::of_login(error, registry))
    }

    async fn pull(
        &self,
        image: &ImageRef,
        platform: Option<&str>,
        auth: Option<&AuthHeader>,
        progress: &dyn Fn(PullProgress),
    ) -> EngineResult<()> {
        let tag = match (&image.digest, &image.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        };
        let name = image.name.to_string();
        let mut asked = vec![("fromImage", name.as_str()), ("tag", tag)];
        asked.extend(platform.map(|platform| ("platform", platform)));
        let path = format!("/images/create{}", query(&asked));
        let once = async || {
            let call =
                self.call(Method::POST, &path).within(Bounds::PULL).auth(auth, refusal::names(image))?;
            progress::follow(self.http.send(call).await?, progress).await
        };
        let mut tried = 1;
        loop {
            match once().await {
                Err(error) if tried < PULL_TRIES && refusal::layer_is_going(&error) => tried += 1,
                ended => return ended.map_err(|error| refusal::of_pull(error, image, auth.is_some())),
            }
        }
    }

    async fn tag(&self, source: &str, name: &str) -> EngineResult<()> {
        let Ok(tagged) = ImageRef::parse(name) else {
            return Err(EngineError::new(ErrorKind::Other, 0, &format!("{name} is not an image reference")));
        };
        let tag = tagged.tag.as_deref().unwrap_or("latest");
        let named = query(&[("repo", &tagged.name.to_string()), ("tag", tag)]);
        self.post(&format!("/images/{}/tag{named}", segment(source)), None).await
    }

    async fn untag(&self, name: &str) -> EngineResult<()> {
        self.delete(&format!("/images/{}", segment(name))).await
    }

    async fn create(&self, name: &str, body: CreateBody) -> EngineResult<(String, Vec<String>)> {
        let CreateBody { mut body, has_secrets } = body;
        let platform = body.as_object_mut().and_then(|body| body.remove("Platform"));
        // Podman takes an empty list for "as in the image".
        if self.podman.is_some() && body["Entrypoint"] == json!([]) {
            body["Entrypoint"] = json!([""]);
        }
        let mut asked = vec![("name", name)];
        asked.extend(platform.as_ref().and_then(Value::as_str).map(|platform| ("platform", platform)));
        let path = format!("/containers/create{}", query(&asked));
        let call = self.posting(&path, &body)?;
        let call = if has_secrets { call.secret(Vec::new()) } else { call };
        let mut made: answer::Warned = self.http.object(call).await?;
        if has_secrets {
            made.warnings =
                made.warnings.iter().map(|warning| refusal::warning_without_secrets(warning)).collect();
        }
        match made.id.as_str() {
            "" => Err(EngineError::new(ErrorKind::Other, 201, "it named no container")),
            _ => Ok((made.id, made.warnings)),
        }
    }

    async fn connect(&self, id: &str, network: &str, endpoint: &Value) -> EngineResult<()> {
        let body = json!({ "Container": id, "EndpointConfig": endpoint });
        self.post(&format!("/networks/{}/connect", segment(network)), Some(&body)).await
    }

    async fn disconnect(&self, id: &str, network: &str, force: bool) -> EngineResult<()> {
        let body = json!({ "Container": id, "Force": force });
        self.post(&format!("/networks/{}/disconnect", segment(network)), Some(&body)).await
    }

    async fn start(&self, id: &str) -> EngineResult<()> {
        self.post(&format!("/containers/{}/start", segment(id)), None).await
    }

    async fn stop(&self, id: &str, timeout: Option<u32>) -> EngineResult<()> {
        match self.podman {
            Some(_) => self.stop_between_crashes(id, timeout).await,
            None => self.stopped(id, timeout).await.map(|_| ()),
        }
    }

    async fn update(&self, id: &str, body: &Value) -> EngineResult<Vec<String>> {
        let call = self.posting(&format!("/containers/{}/update", segment(id)), body)?;
        let answer: answer::Warned = self.http.object(call).await?;
        Ok(answer.warnings)
    }

    async fn exec(&self, id: &str, command: &[String], limit: Duration) -> EngineResult<i64> {
        let over = || {
            EngineError::new(ErrorKind::Other, 200, &format!("it did not end within {} s", limit.as_secs()))
        };
        let body = json!({ "Cmd": command, "AttachStdout": true, "AttachStderr": true });
        let made = self.posting(&format!("/containers/{}/exec", segment(id)), &body)?.secret(Vec::new());
        let made: answer::Warned = self.http.object(made).await?;
        if made.id.is_empty() {
            return Err(EngineError::new(ErrorKind::Other, 201, "it named no exec"));
        }
        let exec = segment(&made.id);
        let start = json!({ "Detach": false, "Tty": false });
        let start = self.posting(&format!("/exec/{exec}/start"), &start)?.secret(Vec::new());
        // Its output ends with it; it is not read, and may never end.
        let answer = self.http.send(start.within(Bounds::of_output(limit)));
        match tokio::time::timeout(limit, async { answer.await?.drain().await }).await {
            Ok(ended) => ended?,
            Err(_) => return Err(over()),
        }
        let ended: answer::Execution = self.get(&format!("/exec/{exec}/json"), Bounds::WHOLE).await?;
        ended.exit_code.ok_or_else(over)
    }

    async fn probe(&self, id: &str, limit: Duration) -> EngineResult<()> {
        let Some(version) = &self.podman else {
            let words = "this Engine runs health checks itself";
            return Err(EngineError::new(ErrorKind::Unsupported, 0, words));
        };
        // Podman's own API: the one that Docker has too cannot do it.
        let path = format!("/v{}/libpod/containers/{}/healthcheck", segment(version), segment(id));
        let call = Call::new(Method::GET, &path).within(Bounds::of_output(limit)).secret(Vec::new());
        self.http.done(call).await
    }

    async fn signal(&self, id: &str, signal: &str) -> EngineResult<()> {
        let path = format!("/containers/{}/kill{}", segment(id), query(&[("signal", signal)]));
        self.post(&path, None).await
    }

    async fn rename(&self, id: &str, name: &str) -> EngineResult<()> {
        let path = format!("/containers/{}/rename{}", segment(id), query(&[("name", name)]));
        self.post(&path, None).await
    }

    async fn remove(&self, id: &str) -> EngineResult<()> {
        self.delete(&format!("/containers/{}", segment(id))).await
    }

    async fn log_tail(&self, id: &str, lines: u32) -> EngineResult<Vec<String>> {
        let lines = lines.to_string();
        let wanted = query(&[("stdout", "1"), ("stderr", "1"), ("tail", &lines)]);
        let call = self.call(Method::GET, &format!("/containers/{}/logs{wanted}", segment(id)));
        let (bytes, _) = self.http.send(call.within(Bounds::LOG)).await?.up_to().await?;
        Ok(logs::lines(&bytes))
    }

    async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> EngineResult<Volume> {
        let body = json!({ "Name": name, "Labels": labels });
        answer::volume(self.http.object(self.posting("/volumes/create", &body)?).await?)
    }

    async fn volumes(&self, label: &str, value: &str) -> EngineResult<Vec<Volume>> {
        let answer: answer::Volumes = self.http.object(self.listing_volumes(label, value)).await?;
        answer.read()
    }

    async fn volumes_at(&self, label: &str, value: &str) -> EngineResult<(Vec<Volume>, i64)> {
        let call = self.listing_volumes(label, value);
        let (answer, date): (answer::Volumes, _) = self.http.object_at(call).await?;
        Ok((answer.read()?, date?))
    }

    async fn remove_volume(&self, name: &str) -> EngineResult<()> {
        absent(self.delete(&format!("/volumes/{}", segment(name))).await).map(drop)
    }

    async fn put_files(&self, id: &str, folder: &str, archive: &Secret) -> EngineResult<()> {
        let path = format!("/containers/{}/archive{}", segment(id), query(&[("path", folder)]));
        let call = self.call(Method::PUT, &path).archive(archive.reveal()).secret(Vec::new());
        self.http.done(call).await
    }

    async fn file(&self, id: &str, path: &str) -> EngineResult<Option<Secret>> {
        let path = format!("/containers/{}/archive{}", segment(id), query(&[("path", path)]));
        let call = self.call(Method::GET, &path).within(Bounds::WHOLE).secret(Vec::new());
        let read = async { self.http.send(call).await?.bytes().await };
        let archive = absent(read.await)?.map(Secret::new);
        Ok(archive.and_then(|archive| archive::first_file(archive.reveal())))
    }

    async fn stat_file(&self, id: &str, path: &str) -> EngineResult<Option<FileStat>> {
        file::stat(self, id, path).await
    }

    async fn start_filled(&self, id: &str, filling: Filling<'_>) -> EngineResult<()> {
        filled::start(self, id, filling).await
    }

    async fn remove_with_volumes(&self, id: &str) -> EngineResult<()> {
        let path = format!("/containers/{}{}", segment(id), query(&[("v", "1")]));
        absent(self.delete(&path).await).map(drop)
    }

    async fn volume(&self, name: &str) -> EngineResult<Option<Volume>> {
        let answer = self.get(&format!("/volumes/{}", segment(name)), Bounds::WHOLE).await;
        absent(answer)?.map(answer::volume).transpose()
    }

    async fn make_volume(&self, body: &Value) -> EngineResult<Volume> {
        answer::volume(self.http.object(self.posting("/volumes/create", body)?).await?)
    }

    async fn networks(&self) -> EngineResult<Vec<Network>> {
        answer::networks(self.list("/networks", Bounds::WHOLE).await?)
    }

    async fn network(&self, id: &str) -> EngineResult<Option<Network>> {
        let answer = self.get(&format!("/networks/{}", segment(id)), Bounds::WHOLE).await;
        absent(answer)?.map(answer::network).transpose()
    }

    async fn create_network(&self, body: &Value) -> EngineResult<()> {
        self.post("/networks/create", Some(body)).await
    }

    async fn remove_network(&self, id: &str) -> EngineResult<()> {
        // A busy Engine still counts the endpoints of a container that is gone already (20.10.24).
        for _ in 1..NETWORK_TRIES {
            match self.delete(&format!("/networks/{}", segment(id))).await {
                Err(error) if error.message.contains("has active endpoints") => sleep(COUNTED).await,
                answer => return answer,
            }
        }
        self.delete(&format!("/networks/{}", segment(id))).await
    }
}
