//! A progress bar for what takes longer than two seconds, where somebody looks at stderr.

use std::borrow::Cow;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, WeakProgressBar};
use roundproof_checker::prove::SEARCH;

use crate::output;

mod narrow;

use narrow::Narrow;

const PATIENCE: Duration = Duration::from_secs(2);

/// What a step of [`Progress::report`] counts that is read from a file.
pub const READING: &str = "reading";

/// The bar that shows, for whoever ends the program.
static SHOWN: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// What the steps of a task are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Rows, leaves, obligations.
    Count,
    Bytes,
    Milliseconds,
    /// There is one, and how far it is nobody knows.
    Whole,
}

impl Unit {
    fn of(what: &str, of: usize) -> Unit {
        match what {
            READING => Unit::Bytes,
            SEARCH => Unit::Milliseconds,
            _ if of <= 1 => Unit::Whole,
            _ => Unit::Count,
        }
    }

    /// How much of how much, how fast, how long it may still take, and what: in 60 columns.
    fn style(self) -> ProgressStyle {
        let template = match self {
            Unit::Count => "{spinner} {wide_bar} {human_pos}/{human_len} {rate} {eta} left  {msg:.60}",
            Unit::Bytes => "{spinner} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left  {msg:.60}",
            Unit::Milliseconds => "{spinner} {wide_bar} {seconds}  {msg:.60}",
            Unit::Whole => "{spinner} {elapsed}  {msg:.60}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        style
            .with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
                let _ = text.write_str(&rate(state.per_sec()));
            })
            .with_key("seconds", |state: &ProgressState, text: &mut dyn Write| {
                let _ = write!(text, "{} of {} s", state.pos() / 1000, state.len().unwrap_or(0).div_ceil(1000));
            })
    }
}

/// So many in a second, as people say it: `12,300/s`, `4.2/s`, `8 s each`.
fn rate(per_second: f64) -> String {
    match per_second {
        10.0.. => format!("{}/s", indicatif::HumanCount(per_second.round() as u64)),
        1.0.. => format!("{per_second:.1}/s"),
        0.001.. => format!("{:.0} s each", 1.0 / per_second),
        _ => "-".to_string(),
    }
}

/// A bar that shows itself only when it is needed, and is gone when dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that does not show yet.
    pub fn new() -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(Unit::Whole.style());
        if io::stderr().is_terminal() && !output::is_quiet() {
            if let Ok(mut shown) = SHOWN.lock() {
                *shown = Some(bar.downgrade());
            }
            let late = bar.downgrade();
            std::thread::spawn(move || {
                std::thread::sleep(PATIENCE);
                if let Some(bar) = late.upgrade()
                    && !bar.is_finished()
                {
                    bar.set_draw_target(ProgressDrawTarget::term_like_with_hz(Box::new(Narrow::stderr()), 20));
                    bar.enable_steady_tick(Duration::from_millis(200));
                }
            });
        }
        Progress(bar)
    }

    /// Says that `done` of `of` steps of `what` are done.
    ///
    /// Rate and time left are those of this step: another step, or one that begins again, begins them again.
    pub fn report(&self, what: impl Into<Cow<'static, str>>, done: usize, of: usize) {
        let what = what.into();
        let unit = Unit::of(&what, of);
        if (done as u64) < self.0.position() || self.0.message() != what {
            self.0.reset_eta();
        }
        let before = self.0.length().map(|length| Unit::of(&self.0.message(), length as usize));
        if before != Some(unit) {
            self.0.set_style(unit.style());
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

/// Takes the bar off the terminal, wherever the program is.
pub fn clear() {
    let shown = SHOWN.lock().ok().and_then(|shown| shown.as_ref().and_then(WeakProgressBar::upgrade));
    if let Some(bar) = shown {
        bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_in_units_that_people_read() {
        assert_eq!(rate(12_345.6), "12,346/s");
        assert_eq!(rate(4.21), "4.2/s");
        assert_eq!(rate(0.125), "8 s each");
        assert_eq!(rate(0.0), "-");
        assert_eq!(rate(f64::NAN), "-");
    }

    #[test]
    fn steps_have_their_units() {
        assert_eq!(Unit::of("judging", 2), Unit::Count);
        assert_eq!(Unit::of("compiling", 1), Unit::Whole);
        assert_eq!(Unit::of(READING, 0), Unit::Bytes);
        assert_eq!(Unit::of(SEARCH, 15_000), Unit::Milliseconds);
        for unit in [Unit::Count, Unit::Bytes, Unit::Milliseconds, Unit::Whole] {
            unit.style();
        }
    }
}
