//! The child's side.

use crate::script::{Line, Request, Run};
use std::io::{self, Read as _, Write};

/// Stack of the thread that runs programs: calls within each other are counted, not measured.
const STACK: usize = 64 << 20;

/// Reads a request from standard input, runs it under limits, and answers on standard output. Gives the
/// code to exit with.
pub fn serve(run: Run) -> u8 {
    limit();
    std::panic::set_hook(Box::new(|panic| {
        // What it says tells memory that is gone from a defect; no secret is in this process.
        let _ = writeln!(io::stderr(), "{panic}");
        #[expect(clippy::exit, reason = "nothing may run after a panic")]
        std::process::exit(70);
    }));
    let serving = std::thread::Builder::new().stack_size(STACK).spawn(move || answer(run));
    let Ok(serving) = serving else { return 71 };
    match serving.join() {
        Ok(Ok(())) => 0,
        Ok(Err(_)) => 74,
        Err(_) => 70,
    }
}

fn answer(run: Run) -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    let request: Request = serde_json::from_slice(&text)?;
    drop(text);
    let mut out = io::BufWriter::new(io::stdout().lock());
    run(&request, &mut |line: &Line| {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
        // What is begun is said before it is done: it may not come back.
        if matches!(line, Line::Begin { .. } | Line::Done) { out.flush() } else { Ok(()) }
    })
}

/// No more memory, processor time, files or dumps than programs need, and no life after the parent's.
fn limit() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let set = |resource, most: u64, hard: u64| {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(hard) });
    };
    set(Resource::Core, 0, 0);
    set(Resource::As, super::MEMORY, super::MEMORY);
    set(Resource::Cpu, super::PROCESSOR, super::PROCESSOR + 1);
    set(Resource::Fsize, 0, 0);
    // Standard input, output and error are open: nothing else can be.
    set(Resource::Nofile, 3, 3);
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    }
}
