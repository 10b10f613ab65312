//! Containers of the Engine in memory.

use super::behaviour::Goes;
use super::volume::File;
use super::world::{World, printed, refused};
use super::{Behaviour, EngineResult, ErrorKind, Inspected, Summary};
use crate::name::is_anonymous;
use crate::observed::{Health, Holds, HostPort, Inspect, Label, RunState};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// Seconds that an Engine lets pass before it starts a crashed container again.
const RESTART_PAUSE: u64 = 1;

pub(super) struct FakeContainer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) image_id: String,
    pub(super) body: Value,
    labels: BTreeMap<String, String>,
    behaviour: Behaviour,
    created: Instant,
    run: Run,
    networks: BTreeMap<String, Value>,
    /// Anonymous volumes that were made for it, by their place.
    anonymous: BTreeMap<String, String>,
    /// Ids of the networks that it joined: one that is recreated under the same name is another.
    joined: BTreeMap<String, String>,
    /// Its health check was run by a call.
    pub(super) probed: bool,
    /// Files that were put into it, by their path.
    pub(super) layer: BTreeMap<String, File>,
}

impl FakeContainer {
    /// Whether it is in a network, running or not.
    pub(super) fn is_in(&self, network: &str) -> bool {
        self.networks.contains_key(network)
    }

    /// Names of volumes it mounts.
    pub(super) fn volumes(&self) -> BTreeSet<String> {
        let host = &self.body["HostConfig"];
        let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let binds = binds.filter_map(|bind| bind.split(':').next());
        let mounts = host["Mounts"].as_array().into_iter().flatten();
        let mounts = mounts.filter(|mount| mount["Type"] == "volume");
        let mounts = mounts.filter_map(|mount| mount["Source"].as_str());
        let named = binds.chain(mounts).filter(|name| !name.is_empty() && !name.starts_with('/'));
        named.map(str::to_owned).chain(self.anonymous.values().cloned()).collect()
    }

    /// Volumes of the container that were made for it, and go with it where that is asked for.
    pub(super) fn anonymous(&self) -> impl Iterator<Item = &String> {
        self.anonymous.values()
    }

    /// All its volumes, as `/containers/{id}/json` lists them.
    pub(super) fn mounted(&self) -> Vec<Value> {
        let host = &self.body["HostConfig"];
        let mount = |name: &str, at: &str, writable: bool| json!({ "Type": "volume", "Name": name, "Destination": at, "RW": writable });
        let own = self.anonymous.iter().map(|(at, name)| mount(name, at, true));
        let listed = host["Mounts"].as_array().into_iter().flatten().filter_map(|listed| {
            let name = listed["Source"].as_str()?;
            if listed["Type"] == "bind" {
                let (at, writable) = (&listed["Target"], listed["ReadOnly"] != true);
                return Some(json!({ "Type": "bind", "Source": name, "Destination": at, "RW": writable }));
            }
            (listed["Type"] == "volume").then_some(())?;
            Some(mount(name, listed["Target"].as_str()?, listed["ReadOnly"] != true))
        });
        own.chain(listed).collect()
    }
}

enum Run {
    Created { error: String },
    Started(Instant),
    Stopped { code: i64, started: Instant, ended: Instant },
}

impl World {
    pub(super) fn find(&self, id: &str) -> EngineResult<usize> {
        let id = id.trim_start_matches('/');
        match self.containers.iter().position(|held| held.id == id || held.name == id) {
            Some(at) => Ok(at),
            None => refused(ErrorKind::NotFound, 404, format!("No such container: {id}")),
        }
    }

    pub(super) fn create(&mut self, name: &str, body: Value) -> EngineResult<String> {
        let body = self.with_ids(body);
        if let Ok(at) = self.find(name) {
            let id = &self.containers[at].id;
            let message = format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". \
                 You have to remove (or rename) that container to be able to reuse that name."
            );
            return refused(ErrorKind::Conflict, 409, message);
        }
        let reference = body["Image"].as_str().unwrap_or_default();
        let Some(image) = self.image(reference).cloned() else {
            return refused(ErrorKind::NotFound, 404, format!("No such image: {reference}"));
        };
        let wanted = body["NetworkingConfig"]["EndpointsConfig"].as_object();
        let mut networks: BTreeMap<String, Value> =
            wanted.into_iter().flatten().map(|(name, endpoint)| (name.clone(), endpoint.clone())).collect();
        if networks.len() > 1 {
            let message = "Container cannot be connected to network endpoints: more than one was given";
            return refused(ErrorKind::Other, 400, message);
        }
        if networks.is_empty() {
            let mode = match body["HostConfig"]["NetworkMode"].as_str() {
                None | Some("" | "default") => "bridge",
                Some(mode) => mode,
            };
            if !mode.starts_with("container:") {
                networks.insert(mode.to_owned(), json!({}));
            }
        }
        let mut labels = image.behaviour.labels.clone();
        for (key, value) in body["Labels"].as_object().into_iter().flatten() {
            labels.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        self.make_mounted(&body);
        let anonymous = self.make_anonymous(&body, &image.behaviour.volumes);
        let id = format!("{:064x}", self.fresh());
        self.containers.push(FakeContainer {
            id: id.clone(),
            name: name.to_owned(),
            image_id: image.id,
            body,
            labels,
            behaviour: image.behaviour,
            created: Instant::now(),
            run: Run::Created { error: String::new() },
            networks,
            anonymous,
            joined: BTreeMap::new(),
            probed: false,
            layer: BTreeMap::new(),
        });
        // An Engine makes the volumes that are named and not there.
        let named = self.containers.last().map(FakeContainer::volumes).unwrap_or_default();
        for name in named {
            self.volume(&json!({ "Name": name }));
        }
        Ok(id)
    }

    pub(super) fn start(&mut self, id: &str) -> EngineResult<()> {
        let at = self.find(id)?;
        let held = &self.containers[at];
        if self.run_state(held).running {
            return Ok(());
        }
        let is_other = |name: &String| match (self.networks.get(name), held.joined.get(name)) {
            (None, _) => true,
            (Some(network), Some(joined)) => network.id != *joined,
            (Some(_), None) => false,
        };
        let missing = held.networks.keys().find(|name| is_other(name));
        // Engine 28; one of 20.10 would start it.
        let mode = held.body["HostConfig"]["NetworkMode"].as_str().unwrap_or_default();
        let homeless = crate::observed::is_user_defined(mode) && !self.networks.contains_key(mode);
        let joined =
            held.networks.keys().filter_map(|name| Some((name.clone(), self.networks.get(name)?.id.clone())));
        let joined = joined.collect();
        let failed = if let Some(network) = missing {
            Some((ErrorKind::NotFound, 404, format!("network {network} not found")))
        } else if homeless {
            let message =
                format!("could not find a network matching network mode {mode}: network {mode} not found");
            Some((ErrorKind::NotFound, 404, message))
        } else if let Some(words) = self.lacks(held) {
            Some((ErrorKind::NotFound, 404, words))
        } else if let Some(port) = self.port_taken(held) {
            let message = format!(
                "driver failed programming external connectivity on endpoint {}: Bind for 0.0.0.0:{port} \
                 failed: port is already allocated",
                held.name
            );
            Some((ErrorKind::Conflict, 500, message))
        } else if let Goes::NotAtAll(words) = &held.behaviour.goes {
            Some((ErrorKind::Other, 400, words.clone()))
        } else {
            None
        };
        let held = &mut self.containers[at];
        if let Some((kind, status, message)) = failed {
            held.run = Run::Created { error: message.clone() };
            return refused(kind, status, message);
        }
        held.joined = joined;
        held.run = Run::Started(Instant::now());
        let held = &self.containers[at];
        let own: BTreeSet<String> = held.volumes().into_iter().filter(|name| is_anonymous(name)).collect();
        let beside =
            self.containers.iter().filter(|other| other.id != held.id && self.run_state(other).running);
        if beside.into_iter().any(|other| !other.volumes().is_disjoint(&own)) {
            self.doubled.push(held.name.clone());
        }
        let started = format!("{} {}", held.name, held.body["Image"].as_str().unwrap_or_default());
        self.started.push(started);
        Ok(())
    }

    /// A host port that another running container has.
    fn port_taken(&self, wanted: &FakeContainer) -> Option<String> {
        let mine = host_ports(&wanted.body);
        let others =
            self.containers.iter().filter(|held| held.id != wanted.id && self.run_state(held).running);
        others.flat_map(|held| host_ports(&held.body)).find(|port| mine.contains(port))
    }

    pub(super) fn ignores_stop(&self, id: &str) -> bool {
        self.find(id).is_ok_and(|at| {
            let held = &self.containers[at];
            held.behaviour.ignores_stop && self.run_state(held).running
        })
    }

    pub(super) fn stop(&mut self, id: &str) -> EngineResult<()> {
        let at = self.find(id)?;
        if !self.run_state(&self.containers[at]).running {
            return Ok(());
        }
        let ended = self.end();
        let held = &mut self.containers[at];
        if let Run::Started(started) = held.run {
            let code = if held.behaviour.ignores_stop { 137 } else { 0 };
            held.run = Run::Stopped { code, started, ended };
            let id = held.id.clone();
            self.end_with(&id);
        }
        Ok(())
    }

    /// The first process of a namespace takes all others in it along.
    fn end_with(&mut self, id: &str) {
        let mode = format!("container:{id}");
        let ended = self.end();
        for held in self.containers.iter_mut().filter(|held| held.body["HostConfig"]["PidMode"] == mode) {
            if let Run::Started(started) = held.run {
                held.run = Run::Stopped { code: 137, started, ended };
            }
        }
    }

    /// Fails where it does not run.
    pub(super) fn runs(&self, id: &str) -> EngineResult<()> {
        let at = self.find(id)?;
        if self.run_state(&self.containers[at]).running {
            return Ok(());
        }
        refused(ErrorKind::Conflict, 409, format!("Container {id} is not running"))
    }

    /// Whether it works as a container of a service.
    pub(super) fn works_as(&self, held: &FakeContainer, service: &str) -> bool {
        let state = self.run_state(held);
        let found = |(network, endpoint): (&String, &Value)| {
            let names = endpoint["Aliases"].as_array().into_iter().flatten();
            matches!(network.as_str(), "bridge" | "host" | "none")
                || names.into_iter().any(|name| name == service)
        };
        held.labels.get("io.pillarbox.service").is_some_and(|label| label == service)
            && state.running
            && !state.restarting
            && matches!(state.health, None | Some(Health::Healthy))
            && !held.networks.is_empty()
            && held.networks.iter().all(found)
    }

    pub(super) fn rename(&mut self, id: &str, name: &str) -> EngineResult<()> {
        let at = self.find(id)?;
        if self.containers.iter().any(|held| held.name == name) {
            let message = format!("Conflict. The container name \"/{name}\" is already in use");
            return refused(ErrorKind::Conflict, 409, message);
        }
        name.clone_into(&mut self.containers[at].name);
        Ok(())
    }

    /// Removes it with its anonymous volumes, but for those that another container mounts.
    pub(super) fn remove_with_volumes(&mut self, id: &str) -> EngineResult<()> {
        let own: Vec<String> = self.containers[self.find(id)?].anonymous().cloned().collect();
        self.remove(id)?;
        for name in own {
            // It stays where it is in use.
            let _ = self.remove_volume(&name);
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, id: &str) -> EngineResult<()> {
        let at = self.find(id)?;
        if self.run_state(&self.containers[at]).running {
            let message = format!("You cannot remove a running container {id}. Stop the container before");
            return refused(ErrorKind::Conflict, 409, message);
        }
        self.containers.remove(at);
        Ok(())
    }

    pub(super) fn connect(&mut self, id: &str, network: &str, endpoint: &Value) -> EngineResult<()> {
        let at = self.find(id)?;
        let Some(joined) = self.networks.get(network).map(|network| network.id.clone()) else {
            return refused(ErrorKind::NotFound, 404, format!("network {network} not found"));
        };
        let held = &mut self.containers[at];
        if held.networks.contains_key(network) {
            let message = format!("endpoint with name {} already exists in network {network}", held.name);
            return refused(ErrorKind::Conflict, 403, message);
        }
        held.joined.insert(network.to_owned(), joined);
        held.networks.insert(network.to_owned(), endpoint.clone());
        Ok(())
    }

    pub(super) fn disconnect(&mut self, id: &str, network: &str, force: bool) -> EngineResult<()> {
        let at = self.find(id)?;
        let known = self.networks.contains_key(network);
        let held = &mut self.containers[at];
        held.joined.remove(network);
        if held.networks.remove(network).is_none() && !force {
            let message = format!("container {id} is not connected to network {network}");
            let (kind, status) = if known { (ErrorKind::Other, 403) } else { (ErrorKind::NotFound, 404) };
            return refused(kind, status, message);
        }
        Ok(())
    }

    /// `/update` with its traps: zero and empty mean "leave", memory wants swap beside it.
    pub(super) fn update(&mut self, id: &str, body: &Value) -> EngineResult<Vec<String>> {
        let at = self.find(id)?;
        let memory = body["Memory"].as_i64().unwrap_or(0);
        if memory > 0 && body["MemorySwap"].as_i64().unwrap_or(0) == 0 {
            let message = "Memory limit should be smaller than already set memoryswap limit, update the \
                           memoryswap at the same time";
            return refused(ErrorKind::Conflict, 409, message);
        }
        if memory > 0 && memory < 6 << 20 {
            return refused(ErrorKind::Other, 400, "Minimum memory limit allowed is 6MB");
        }
        let host = &mut self.containers[at].body["HostConfig"];
        for (field, value) in body.as_object().into_iter().flatten() {
            let leave =
                value == &json!(0) || value == &json!("") || value["Name"] == json!("") || value.is_null();
            if !leave {
                host[field.as_str()] = value.clone();
            }
        }
        Ok(Vec::new())
    }

    pub(super) fn log(&self, id: &str, lines: u32) -> EngineResult<Vec<String>> {
        let log = &self.containers[self.find(id)?].behaviour.log;
        let skip = log.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
        Ok(log[skip..].to_vec())
    }

    /// What a container of others holds. Of ours only the addresses: tests let several have one port.
    fn holds(&self, held: &FakeContainer) -> Holds {
        if !self.run_state(held).running {
            return Holds::default();
        }
        let foreign = !held.labels.contains_key(Label::WORKSPACE);
        let bindings = held.body.pointer("/HostConfig/PortBindings").filter(|_| foreign);
        let address = |endpoint: &Value| endpoint["IPAMConfig"]["IPv4Address"].as_str()?.parse().ok();
        let addresses =
            held.networks.iter().filter_map(|(name, one)| Some((name.clone(), vec![address(one)?])));
        Holds { ports: HostPort::of_bindings(bindings), addresses: addresses.collect() }
    }

    pub(super) fn list(&self) -> Vec<Summary> {
        let all = self.containers.iter().rev();
        all.map(|held| Summary {
            id: held.id.clone(),
            name: held.name.clone(),
            image_id: held.image_id.clone(),
            labels: held.labels.clone(),
            status: self.run_state(held).status,
            networks: held.networks.keys().cloned().collect(),
            network_mode: held.body["HostConfig"]["NetworkMode"].as_str().unwrap_or_default().to_owned(),
            volumes: held.volumes(),
            holds: self.holds(held),
        })
        .collect()
    }

    pub(super) fn inspect(&self, at: usize) -> Inspected {
        let held = &self.containers[at];
        let state = self.run_state(held);
        let mut config = held.body.clone();
        let host = config.as_object_mut().and_then(|body| body.remove("HostConfig")).unwrap_or(json!({}));
        if let Some(body) = config.as_object_mut() {
            body.remove("NetworkingConfig");
            body.insert("Labels".to_owned(), json!(held.labels));
            if held.behaviour.has_health_check {
                body.entry("Healthcheck").or_insert(json!({ "Test": ["CMD", "true"] }));
            }
            let own = body.get("Env").and_then(Value::as_array).cloned().unwrap_or_default();
            let named = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
            let set: Vec<String> = own.iter().filter_map(Value::as_str).map(named).collect();
            let inherited = held.behaviour.env.iter().filter(|entry| !set.contains(&named(entry)));
            let env: Vec<Value> = own.iter().cloned().chain(inherited.map(|e| json!(e))).collect();
            body.insert("Env".to_owned(), Value::Array(env));
        }
        let answer = json!({
            "Id": held.id, "Name": format!("/{}", held.name), "Image": held.image_id,
            "Created": state.created_at, "RestartCount": state.restart_count,
            "State": {
                "Status": state.status, "Running": state.running, "Restarting": state.restarting,
                "ExitCode": state.exit_code, "Error": state.error, "StartedAt": state.started_at,
                "Health": { "Log": held.behaviour.probes },
            },
            "Config": config, "HostConfig": host,
            "Mounts": held.mounted(),
            "NetworkSettings": { "Networks": held.networks },
        });
        Inspected {
            id: held.id.clone(),
            name: held.name.clone(),
            image_id: held.image_id.clone(),
            labels: held.labels.clone(),
            state,
            inspect: Inspect::new(answer),
        }
    }

    pub(super) fn run_state(&self, held: &FakeContainer) -> RunState {
        let never = "0001-01-01T00:00:00Z".to_owned();
        let mut state = RunState {
            status: "created".to_owned(),
            running: false,
            restarting: false,
            restart_count: 0,
            started_at: never.clone(),
            finished_at: never,
            created_at: printed(self.at(held.created)),
            exit_code: 0,
            error: String::new(),
            health: None,
        };
        match &held.run {
            Run::Created { error } => {
                state.exit_code = if error.is_empty() { 0 } else { 128 };
                state.error.clone_from(error);
            }
            Run::Stopped { code, started, ended } => {
                state.finished_at = self.to_the_nanosecond(*ended);
                state.exit_code = *code;
                state.started_at = printed(self.at(*started));
                "exited".clone_into(&mut state.status);
            }
            Run::Started(started) => self.running(held, *started, &mut state),
        }
        state
    }

    fn running(&self, held: &FakeContainer, started: Instant, state: &mut RunState) {
        let up = started.elapsed().as_secs();
        let mut began = self.at(started);
        let policy = held.body["HostConfig"]["RestartPolicy"]["Name"].as_str().unwrap_or_default();
        if let Goes::Ends { after, code } = held.behaviour.goes {
            let after = u64::from(after);
            let again =
                matches!(policy, "always" | "unless-stopped") || (policy == "on-failure" && code != 0);
            let period = after + RESTART_PAUSE;
            let rounds = if again { up / period } else { 0 };
            if up - rounds * period >= after {
                state.exit_code = code;
                state.started_at = printed(began);
                state.restart_count = i64::try_from(rounds).unwrap_or(i64::MAX);
                // An Engine calls a container running while it waits to start it again.
                (state.running, state.restarting) = (again, again);
                (if again { "restarting" } else { "exited" }).clone_into(&mut state.status);
                return;
            }
            state.restart_count = i64::try_from(rounds).unwrap_or(i64::MAX);
            began += i64::try_from(rounds * period).unwrap_or(0);
        }
        state.running = true;
        "running".clone_into(&mut state.status);
        state.started_at = printed(began);
        let test = held.body["Healthcheck"]["Test"].as_array();
        let switched_off = test.is_some_and(|test| test.first() == Some(&json!("NONE")));
        let given = test.is_some_and(|test| !test.is_empty());
        if (given || held.behaviour.has_health_check) && !switched_off {
            let runs = self.facts.runs_health_checks || held.probed;
            state.health = Some(match held.behaviour.healthy_after {
                _ if !runs => Health::Starting,
                Some(after) if up >= u64::from(after) => Health::Healthy,
                None if up >= 3 => Health::Unhealthy,
                _ => Health::Starting,
            });
        }
    }
}

/// `8080/tcp` for each published port with a fixed number.
fn host_ports(body: &Value) -> Vec<String> {
    let bindings = body["HostConfig"]["PortBindings"].as_object();
    let all = bindings.into_iter().flatten().flat_map(|(port, bound)| {
        let protocol = port.rsplit_once('/').map_or("tcp", |(_, protocol)| protocol).to_owned();
        let bound = bound.as_array().cloned().unwrap_or_default();
        bound.into_iter().filter_map(move |binding| {
            let number = binding["HostPort"].as_str().unwrap_or_default();
            (!number.is_empty() && number != "0").then(|| format!("{number}/{protocol}"))
        })
    });
    all.collect()
}
