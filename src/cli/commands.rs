//! One file per command, with two items each: `Args` and `run`. To add one: its file, a line in each
//! of the three lists below.

mod adopt;
mod apply;

mod boxes;
mod clean;
mod compile;
mod completions;
mod compose;
mod df;
mod doctor;
mod down;
mod edit;
mod exec;
mod gate;
mod get;
mod history;
mod identity;
mod import;
mod init;
mod known;
mod lock;
mod logs;
mod man;
mod merge_driver;
mod r#move;
mod plan;
mod reader;
mod registry;
mod requested;
mod restart;
mod reveal;
mod rollback;
mod run;
mod seal;
mod set;
mod show;
mod start;
mod status;
mod stop;
mod unset;
mod verify;
mod version;
mod who_can_read;
mod written;

pub(super) use stop::time;

use super::{Context, Exit};
use crate::problem::{Code, Problems, Result};
use clap::Subcommand;

/// The commands, in the order of `--help`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Init(init::InitArgs),
    Identity(identity::IdentityArgs),
    Box(boxes::BoxArgs),
    Reader(reader::ReaderArgs),
    Registry(registry::RegistryArgs),
    Set(set::SetArgs),
    Get(get::GetArgs),
    Unset(unset::UnsetArgs),
    Seal(seal::SealArgs),
    Reveal(reveal::RevealArgs),
    Edit(edit::EditArgs),
    Show(show::ShowArgs),
    Move(r#move::MoveArgs),
    Gate(gate::GateArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    #[command(visible_alias = "ps")]
    Status(status::StatusArgs),
    Logs(logs::LogsArgs),
    Exec(exec::ExecArgs),
    Run(run::RunArgs),
    Adopt(adopt::AdoptArgs),
    History(history::HistoryArgs),
    Rollback(rollback::RollbackArgs),
    Restart(restart::RestartArgs),
    Stop(stop::StopArgs),
    Start(start::StartArgs),
    Down(down::DownArgs),
    Df(df::DfArgs),
    Clean(clean::CleanArgs),
    Lock(lock::LockArgs),
    Compile(compile::CompileArgs),
    Compose(compose::ComposeArgs),
    Import(import::ImportArgs),
    Verify(verify::VerifyArgs),
    WhoCanRead(who_can_read::WhoCanReadArgs),
    Known(known::KnownArgs),
    MergeDriver(merge_driver::MergeDriverArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Version(version::VersionArgs),
}

impl Command {
    /// `show FILE`.
    pub(super) fn show(file: &str) -> Self {
        Self::Show(show::ShowArgs::of(file))
    }

    /// Its exit code where it failed: 125 where other codes are those of a command in a container.
    pub(super) fn failure(&self, problems: &Problems) -> Exit {
        match self {
            Self::Exec(_) | Self::Run(_) if problems.code() != Code::Interrupted => Exit::Of(125),
            _ => Exit::of(problems),
        }
    }

    /// Whether it never asks, even on a terminal.
    pub(super) fn is_unattended(&self) -> bool {
        matches!(self, Self::Doctor(_) | Self::Logs(_))
    }

    pub(super) fn run(&self, ctx: &Context) -> Result<Exit> {
        match self {
            Self::Init(args) => init::run(args, ctx),
            Self::Identity(args) => identity::run(args, ctx),
            Self::Box(args) => boxes::run(args, ctx),
            Self::Reader(args) => reader::run(args, ctx),
            Self::Registry(args) => registry::run(args, ctx),
            Self::Set(args) => set::run(args, ctx),
            Self::Get(args) => get::run(args, ctx),
            Self::Unset(args) => unset::run(args, ctx),
            Self::Seal(args) => seal::run(args, ctx),
            Self::Reveal(args) => reveal::run(args, ctx),
            Self::Edit(args) => edit::run(args, ctx),
            Self::Show(args) => show::run(args, ctx),
            Self::Move(args) => r#move::run(args, ctx),
            Self::Gate(args) => gate::run(args, ctx),
            Self::Plan(args) => plan::run(args, ctx),
            Self::Apply(args) => apply::run(args, ctx),
            Self::Status(args) => status::run(args, ctx),
            Self::Logs(args) => logs::run(args, ctx),
            Self::Exec(args) => exec::run(args, ctx),
            Self::Run(args) => run::run(args, ctx),
            Self::Adopt(args) => adopt::run(args, ctx),
            Self::History(args) => history::run(args, ctx),
            Self::Rollback(args) => rollback::run(args, ctx),
            Self::Restart(args) => restart::run(args, ctx),
            Self::Stop(args) => stop::run(args, ctx),
            Self::Start(args) => start::run(args, ctx),
            Self::Down(args) => down::run(args, ctx),
            Self::Df(args) => df::run(args, ctx),
            Self::Clean(args) => clean::run(args, ctx),
            Self::Lock(args) => lock::run(args, ctx),
            Self::Compile(args) => compile::run(args, ctx),
            Self::Compose(args) => compose::run(args, ctx),
            Self::Import(args) => import::run(args, ctx),
            Self::Verify(args) => verify::run(args, ctx),
            Self::WhoCanRead(args) => who_can_read::run(args, ctx),
            Self::Known(args) => known::run(args, ctx),
            Self::MergeDriver(args) => merge_driver::run(args, ctx),
            Self::Doctor(args) => doctor::run(args, ctx),
            Self::Completions(args) => completions::run(args, ctx),
            Self::Man(args) => man::run(args, ctx),
            Self::Version(args) => version::run(args, ctx),
        }
    }
}
