//! How the program ends.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use roundproof_judge::{Outcome, Verdict};

/// The exit codes, the mildest first: of several results, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Proved; or all as expected.
    AsClaimed,
    /// Nothing was established: Unknown, Attested or Vacuous.
    NotEstablished,
    /// Refuted.
    Refuted,
    /// Accepted, but not what is expected or required.
    Unmet,
    /// A certificate rejected; or a record that is not as it was.
    Rejected,
    /// A wrong command line, or input that cannot be read.
    Unreadable,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::AsClaimed => Outcome::AsExpected.code(),
            Exit::Refuted => Outcome::Refuted.code(),
            Exit::Unmet => Outcome::Unmet.code(),
            Exit::Rejected => Outcome::Rejected.code(),
            Exit::Unreadable => Outcome::Unreadable.code(),
            Exit::NotEstablished => Outcome::NotEstablished.code(),
        }
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Exit {
        match outcome {
            Outcome::AsExpected => Exit::AsClaimed,
            Outcome::NotEstablished => Exit::NotEstablished,
            Outcome::Refuted => Exit::Refuted,
            Outcome::Unmet => Exit::Unmet,
            Outcome::Rejected => Exit::Rejected,
            Outcome::Unreadable => Exit::Unreadable,
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Exit {
        Outcome::from(verdict).into()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// What a shell reports of a program that a closed pipe ended. Never 0, which would say Proved.
pub const BROKEN_PIPE: u8 = 141;
/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Held while files that belong together are put in their places: an interrupt waits for it.
pub static WRITING: Mutex<()> = Mutex::new(());

/// Whether anything was written, to files and to stdout.
static FILES: AtomicBool = AtomicBool::new(false);
static OUTPUT: AtomicBool = AtomicBool::new(false);

/// Begins to put files in their places: an interrupt waits until what is returned is dropped.
pub fn writing() -> Option<MutexGuard<'static, ()>> {
    let guard = WRITING.lock().ok();
    wrote_files();
    guard
}

/// From now on, files may have been written.
pub fn wrote_files() {
    FILES.store(true, Ordering::Relaxed);
}

/// From now on, results were written to stdout.
pub fn wrote_output() {
    OUTPUT.store(true, Ordering::Relaxed);
}

/// A file that has what was done so far, if there is one.
static KEPT: Mutex<Option<PathBuf>> = Mutex::new(None);

/// From now on, an interrupt says that `path` has what was done so far.
pub fn kept(path: &Path) {
    if let Ok(mut kept) = KEPT.lock() {
        *kept = Some(path.to_path_buf());
    }
}

/// From now on, there is no such file.
pub fn kept_no_more() {
    if let Ok(mut kept) = KEPT.lock() {
        *kept = None;
    }
}

/// What an interrupt says.
fn interrupted() -> String {
    if let Some(path) = KEPT.lock().ok().and_then(|kept| kept.clone()) {
        return format!("interrupted: {} has what was done so far; --resume goes on with it", path.display());
    }
    let said = match (FILES.load(Ordering::Relaxed), OUTPUT.load(Ordering::Relaxed)) {
        (false, false) => "interrupted, nothing written",
        (false, true) => "interrupted: the output above is not all",
        (true, _) => "interrupted: each file that was written is whole, but there may be more to write",
    };
    said.to_string()
}

/// Files that are being written under temporary names.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// As long as it lives, an interrupt removes a file.
pub struct Unfinished(PathBuf);

impl Unfinished {
    /// The file at `path` is not finished.
    pub fn new(path: &Path) -> Unfinished {
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.insert(path.to_path_buf());
        }
        Unfinished(path.to_path_buf())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.remove(&self.0);
        }
    }
}

/// Ends the program on Ctrl-C, quickly, but never between files that belong together.
pub fn end_on_interrupt() {
    // Without a handler, an interrupt ends the program all the same.
    let _ = ctrlc::set_handler(|| {
        let _written = WRITING.lock();
        if let Ok(unfinished) = UNFINISHED.lock() {
            for path in unfinished.iter() {
                // It may have got its name just now.
                let _ = std::fs::remove_file(path);
            }
        }
        crate::progress::clear();
        let _ = writeln!(io::stderr(), "{}", interrupted());
        std::process::exit(INTERRUPTED);
    });
}

/// Makes a panic, which is always a defect of this program, one line for people.
pub fn report_defects() {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(io::stderr(), "error: this is a defect in roundproof; nothing was proved: {panic}");
    }));
}
