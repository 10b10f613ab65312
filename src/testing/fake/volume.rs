//! Volumes of the Engine in memory, and what is put into them.

use super::resource::labels;
use super::world::{World, refused};
use super::{EngineResult, ErrorKind, Volume};
use crate::observed::Inspect;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A file in a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its bytes.
    pub content: Vec<u8>,
    /// Owner, group and permission bits.
    pub owner: (u32, u32, u32),
    /// When it was changed last, seconds since 1970.
    pub time: i64,
}

/// What is in a volume.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) files: BTreeMap<String, File>,
    memory: bool,
}

impl World {
    /// The volume of a name, made now where there is none.
    pub(super) fn volume(&mut self, body: &Value) -> Volume {
        let name = body["Name"].as_str().unwrap_or_default().to_owned();
        let (number, now) = (self.fresh(), self.now());
        let fresh = Volume {
            labels: labels(&body["Labels"]),
            created_at: now,
            inspect: Inspect::new(json!({
                "Name": name, "Driver": body["Driver"].as_str().unwrap_or("local"),
                "Options": body["DriverOpts"], "Labels": body["Labels"],
                "Mountpoint": format!("/volumes/{number}"),
            })),
            name: name.clone(),
        };
        let memory = body["DriverOpts"]["type"] == "tmpfs";
        self.contents.entry(name.clone()).or_insert_with(|| Content { memory, ..Content::default() });
        self.volumes.entry(name).or_insert(fresh).clone()
    }

    pub(super) fn remove_volume(&mut self, name: &str) -> EngineResult<()> {
        if self.containers.iter().any(|held| held.volumes().contains(name)) {
            return refused(ErrorKind::Conflict, 409, format!("remove {name}: volume is in use"));
        }
        self.volumes.remove(name);
        self.contents.remove(name);
        Ok(())
    }

    /// An Engine makes a volume that a container mounts and that is not there.
    pub(super) fn make_mounted(&mut self, body: &Value) {
        for mount in mounts(body) {
            if !self.volumes.contains_key(&mount.volume) {
                self.volume(&json!({ "Name": mount.volume }));
            }
        }
    }

    /// An Engine makes anonymous volumes where image or body say so and nothing else is mounted.
    pub(super) fn make_anonymous(&mut self, body: &Value, of_image: &[String]) -> BTreeMap<String, String> {
        let host = &body["HostConfig"];
        let mounts = host["Mounts"].as_array().into_iter().flatten();
        let (nameless, mounts): (Vec<&Value>, Vec<&Value>) =
            mounts.partition(|mount| mount["Type"] == "volume" && mount["Source"].as_str().is_none());
        let at = |mount: &&Value| mount["Target"].as_str().map(str::to_owned);
        let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let tmpfs = host["Tmpfs"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
        let taken: Vec<String> = mounts.iter().filter_map(at).chain(tmpfs).collect();
        let taken: Vec<String> =
            binds.filter_map(|bind| bind.split(':').nth(1).map(str::to_owned)).chain(taken).collect();
        let bare = body["Volumes"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
        let wanted = nameless.iter().filter_map(at).chain(bare).chain(of_image.iter().cloned());
        let wanted: BTreeMap<String, ()> = wanted.map(|path| (path, ())).collect();
        let mut made = BTreeMap::new();
        for (path, ()) in wanted.into_iter().filter(|(path, ())| !taken.contains(path)) {
            let name = format!("{:064x}", 0xfeed_0000_0000 + self.fresh());
            self.volume(&json!({ "Name": name }));
            made.insert(path, name);
        }
        made
    }

    /// Puts the files of an archive into the volume that a container mounts at a folder.
    pub(super) fn put_files(&mut self, id: &str, folder: &str, archive: &[u8]) -> EngineResult<()> {
        let at = self.find(id)?;
        if folder == "/" {
            return self.put_into(at, archive);
        }
        let mounts = mounts(&self.containers[at].body);
        let Some(mount) = mounts.into_iter().find(|mount| mount.target == folder) else {
            return refused(ErrorKind::NotFound, 404, format!("Could not find the file {folder}"));
        };
        if mount.read_only {
            return refused(ErrorKind::Other, 400, "mounted volume is marked read-only");
        }
        let memory = self.contents.get(&mount.volume).is_some_and(|content| content.memory);
        // No container has it mounted afterwards.
        if !memory {
            self.contents.entry(mount.volume).or_default().files.extend(unpacked(archive));
        }
        Ok(())
    }

    /// Puts the files of an archive into a container; those at a place that a volume is mounted at go there.
    fn put_into(&mut self, at: usize, archive: &[u8]) -> EngineResult<()> {
        let held = &mut self.containers[at];
        if held.body["HostConfig"]["ReadonlyRootfs"] == true {
            return refused(ErrorKind::Other, 500, "container rootfs is marked read-only");
        }
        held.layer.extend(unpacked(archive).into_iter().map(|(path, file)| (format!("/{path}"), file)));
        Ok(())
    }

    /// The file that a container sees at a path.
    pub(super) fn file(&self, id: &str, path: &str) -> Option<File> {
        let held = &self.containers[self.find(id).ok()?];
        let listed = held.body["HostConfig"]["Mounts"].as_array().into_iter().flatten();
        let mut bound = listed.filter(|mount| mount["Type"] == "bind" && mount["Target"] == path);
        let Some(bound) = bound.next() else { return held.layer.get(path).cloned() };
        let source = bound["Source"].as_str()?;
        self.volumes.iter().find_map(|(name, volume)| {
            let folder = volume.inspect.compare("/Mountpoint")?.as_str()?;
            let file = source.strip_prefix(folder)?.strip_prefix('/')?;
            self.contents.get(name)?.files.get(file).cloned()
        })
    }

    /// Starts a container whose volume in memory is filled meanwhile.
    pub(super) fn start_filled(
        &mut self,
        id: &str,
        filler: &str,
        folder: &str,
        archive: &[u8],
    ) -> EngineResult<()> {
        let at = self.find(filler)?;
        let mounts = mounts(&self.containers[at].body);
        let Some(mount) = mounts.into_iter().find(|mount| mount.target == folder) else {
            return refused(ErrorKind::NotFound, 404, format!("Could not find the file {folder}"));
        };
        self.start(id)?;
        self.contents.entry(mount.volume).or_default().files.extend(unpacked(archive));
        Ok(())
    }

    /// What a container sees at a folder.
    pub(super) fn files(&self, id: &str, folder: &str) -> BTreeMap<String, File> {
        let Ok(at) = self.find(id) else { return BTreeMap::new() };
        let mounts = mounts(&self.containers[at].body);
        let mount = mounts.into_iter().find(|mount| mount.target == folder);
        mount
            .and_then(|mount| self.contents.get(&mount.volume))
            .map(|it| it.files.clone())
            .unwrap_or_default()
    }
}

struct Mount {
    volume: String,
    target: String,
    read_only: bool,
}

/// Named volumes in `HostConfig.Mounts`.
fn mounts(body: &Value) -> Vec<Mount> {
    let listed = body["HostConfig"]["Mounts"].as_array().into_iter().flatten();
    let text = |mount: &Value, field: &str| mount[field].as_str().unwrap_or_default().to_owned();
    let each = listed.filter(|mount| mount["Type"] == "volume").map(|mount| Mount {
        volume: text(mount, "Source"),
        target: text(mount, "Target"),
        read_only: mount["ReadOnly"] == true,
    });
    each.filter(|mount| !mount.volume.is_empty()).collect()
}

/// Files of a ustar archive.
fn unpacked(mut archive: &[u8]) -> Vec<(String, File)> {
    let mut files = Vec::new();
    while let Some((header, rest)) = archive.split_at_checked(512).filter(|(header, _)| header[0] != 0) {
        let text = |from: usize, to: usize| {
            let field = header[from..to].split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let octal = |from: usize, to: usize| u32::from_str_radix(&text(from, to), 8).unwrap_or(u32::MAX);
        let size = usize::try_from(octal(124, 136)).unwrap_or(usize::MAX).min(rest.len());
        let owner = (octal(108, 116), octal(116, 124), octal(100, 108));
        let time = i64::from_str_radix(&text(136, 148), 8).unwrap_or(i64::MAX);
        let (prefix, name) = (text(345, 500), text(0, 100));
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        files.push((path, File { content: rest[..size].to_vec(), owner, time }));
        archive = rest.get(size.next_multiple_of(512)..).unwrap_or_default();
    }
    files
}
