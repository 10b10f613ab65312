//! How a run goes over its hosts: in batches, as long as too many do not fail.

use crate::execute::Wait;
use crate::problem::escaped;
use crate::rollout::{BatchSizes, Share};
use crate::session::Pace;

/// How many hosts are changed at once; a plan holds it.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct BatchSizeArgs {
    /// Hosts that are changed at once, batch by batch, as numbers or parts of all that change; the last one
    /// repeats [default: 1,10%,25%]
    #[arg(long, value_name = "N|P%,…")]
    pub batch_size: Option<BatchSizes>,
}

/// When a run goes on with the next batch, and when it ends.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct PaceArgs {
    /// Wait so long between batches, then look at the last one once more; `ask`: until a person says yes [default:
    /// after a first host alone as long as its containers are monitored]
    #[arg(long, value_name = "TIME|ask", value_parser = wait)]
    batch_wait: Option<Wait>,
    /// End after so many batches; the next apply goes on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batches: Option<u32>,
    /// Go on although so many hosts failed, or such a part of them; never if the first host alone failed [default: 0]
    #[arg(long, value_name = "N|P%")]
    max_failures: Option<Share>,
}

impl PaceArgs {
    pub(in crate::cli) fn pace(self) -> Pace {
        Pace {
            wait: self.batch_wait.unwrap_or_default(),
            most_batches: self.batches.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            most_failures: self.max_failures.unwrap_or(Share::Hosts(0)),
        }
    }
}

fn wait(text: &str) -> Result<Wait, String> {
    match text {
        "ask" => Ok(Wait::Ask),
        _ => humantime::parse_duration(text)
            .map(Wait::For)
            .map_err(|_| format!("`{}` is no time such as 30s or 5m, and not `ask`", escaped(text))),
    }
}
