//! What a process costs from its start to its end.

use crate::env::Run;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::Child;
use std::time::{Duration, Instant};

/// How often its memory and its threads are looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// What one process cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Of all its threads, in user and kernel; exact but for the last glance.
    pub(crate) processor: Duration,
    /// The most memory that was resident, in MB.
    pub(crate) peak: f64,
}

/// Runs a command that must end with 0; its cost and its standard output.
pub(crate) fn cost(run: Run) -> (Cost, String) {
    let start = Instant::now();
    let mut child = run.spawn();
    let out = reading(child.stdout.take());
    let err = reading(child.stderr.take());
    drop(child.stdin.take());
    let mut seen = Seen::default();
    let status = loop {
        seen.look(&child);
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        std::thread::sleep(GLANCE);
    };
    let wall = start.elapsed();
    let (out, err) = (out.join().expect("its output"), err.join().expect("its errors"));
    assert!(status.success(), "{status}: {err}");
    let processor = Duration::from_nanos(seen.threads.values().sum());
    (Cost { wall, processor, peak: seen.peak as f64 / 1024.0 }, out)
}

fn reading(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_string(&mut text);
        }
        text
    })
}

#[derive(Default)]
struct Seen {
    /// Nanoseconds on a processor, by thread; those that ended too.
    threads: BTreeMap<String, u64>,
    /// KiB.
    peak: u64,
}

impl Seen {
    fn look(&mut self, child: &Child) {
        let of_process = format!("/proc/{}", child.id());
        let status = fs::read_to_string(format!("{of_process}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
        let peak = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.peak = self.peak.max(peak);
        for thread in fs::read_dir(format!("{of_process}/task")).into_iter().flatten().flatten() {
            let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let ran = text.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0);
            self.threads.insert(thread.file_name().to_string_lossy().into_owned(), ran);
        }
    }
}
