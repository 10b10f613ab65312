//! What happens while a plan is carried out: bars on a terminal, plain lines otherwise, nothing with
//! `-q` but what failed.

mod bars;

#[cfg(test)]
mod tests;

use super::{Level, words};
use crate::event::{Event, Happened};
use crate::plan::{Action, HostPlan, Plan};
use crate::problem::escaped;
use bars::Bars;
use std::time::Duration;

/// Shows events of one run. Its lines go to standard error.
pub(in crate::cli) struct Progress<'a> {
    plan: &'a Plan,
    level: Level,
    bars: Option<Bars>,
    line: Box<dyn Fn(&str) + 'a>,
}

impl<'a> Progress<'a> {
    /// For a plan; `terminal`: bars can be drawn on standard error.
    pub(in crate::cli) fn new(plan: &'a Plan, level: Level, terminal: bool) -> Self {
        let bars = (terminal && level > Level::Quiet).then(Bars::new);
        Self { plan, level, bars, line: Box::new(to_stderr) }
    }

    /// Shows one event.
    pub(in crate::cli) fn show(&self, event: &Event) {
        if let (Some(bars), Some(plan)) = (&self.bars, self.host(event)) {
            bars.follow(plan, &event.what);
        }
        for line in self.lines(event) {
            match &self.bars {
                Some(bars) => bars.above(&line),
                None => (self.line)(&line),
            }
        }
    }

    /// Takes the bars away.
    pub(in crate::cli) fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }

    fn host(&self, event: &Event) -> Option<&HostPlan> {
        self.plan.hosts.iter().find(|plan| plan.host == event.host)
    }

    /// The lines that stay.
    fn lines(&self, event: &Event) -> Vec<String> {
        let host = &event.host;
        let step = |id: u32| self.host(event).and_then(|plan| words::step(plan, id));
        let words = |id: u32| match step(id) {
            Some(step) => escaped(&words::action(&step.action)),
            None => format!("step #{id}"),
        };
        let quiet = self.level == Level::Quiet;
        match &event.what {
            // Short steps get one line when they are done; what can take minutes also gets one when
            // it begins, unless a bar shows it.
            Happened::StepStarted { step: id } => {
                let long = step(*id).is_some_and(|step| {
                    matches!(
                        step.action,
                        Action::Pull { .. } | Action::AwaitHealthy { .. } | Action::Delay { .. }
                    )
                });
                let wanted = !quiet && self.bars.is_none() && (long || self.level == Level::Verbose);
                if wanted { vec![format!("{host}: {} …", words(*id))] } else { Vec::new() }
            }
            Happened::PullProgress { .. } => Vec::new(),
            Happened::StepDone { step: id, took } => {
                if quiet {
                    Vec::new()
                } else {
                    vec![format!("{host}: {} … done {}", words(*id), time(*took))]
                }
            }
            Happened::Warned { step: id, text } => {
                vec![format!("{host}: {}: the Engine warns: {}", words(*id), escaped(text))]
            }
            Happened::StepFailed { step: id, why } => {
                vec![format!("{host}: {} … failed: {}", words(*id), escaped(why))]
            }
            Happened::ContainerLog { container, lines } => {
                let head = format!("{host}: last log lines of {}:", escaped(container));
                let lines = lines.iter().map(|line| format!("{host}:   | {}", escaped(line)));
                std::iter::once(head).chain(lines).collect()
            }
            Happened::UndoStarted { .. } => Vec::new(),
            Happened::UndoDone { action, failed: None, .. } => {
                vec![format!("{host}: way back: {} … done", escaped(action))]
            }
            Happened::UndoDone { action, failed: Some(why), .. } => {
                vec![format!("{host}: way back: {} … failed: {}", escaped(action), escaped(why))]
            }
            Happened::EngineAway => {
                vec![format!("{host}: its Engine does not answer; the way back waits for it")]
            }
            Happened::Interrupted => {
                vec![format!("{host}: interrupted: what was begun is ended or taken back")]
            }
        }
    }
}

/// `0.4s`, `12s`, `3m05s`.
fn time(took: Duration) -> String {
    match took.as_secs() {
        0..10 => format!("{:.1}s", took.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds}s"),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

fn to_stderr(line: &str) {
    let _ = std::io::Write::write_all(&mut anstream::stderr(), format!("{line}\n").as_bytes());
}
