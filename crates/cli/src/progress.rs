//! A progress bar for what takes longer than two seconds, where somebody looks at stderr.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(2);

/// How much of how much, how fast, how long it has taken and how long it may still take.
const TEMPLATE: &str = "{spinner} {wide_bar} {human_pos}/{human_len} {per_sec} {elapsed}, {eta} left {msg:.60}";

/// A bar that shows itself only when it is needed, and is gone when dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that does not show yet.
    pub fn new() -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        if io::stderr().is_terminal() {
            let late = bar.downgrade();
            std::thread::spawn(move || {
                std::thread::sleep(PATIENCE);
                if let Some(bar) = late.upgrade()
                    && !bar.is_finished()
                {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(Duration::from_millis(200));
                }
            });
        }
        Progress(bar)
    }

    /// Says that `done` of `of` steps of `what` are done.
    ///
    /// Rate and time left are those of this step: another step, or one that begins again, begins them again.
    pub fn report(&self, what: impl Into<std::borrow::Cow<'static, str>>, done: usize, of: usize) {
        let what = what.into();
        if (done as u64) < self.0.position() || self.0.message() != what {
            self.0.reset_eta();
        }
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
        self.0.set_message(what);
    }

    /// Says what is being done, not how much.
    pub fn message(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
