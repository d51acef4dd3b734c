//! A terminal that says it is a little narrower than it is.
//!
//! A bar fills its line. When Ctrl-C is pressed, the terminal echoes `^C` behind it: on a full line that begins another one,
//! and what is cleared then is not the bar's. So there is room for the echo.

use std::io;

use console::Term;
use indicatif::TermLike;

/// What terminals echo takes so many columns, and the cursor one more.
const ECHO: u16 = 3;

/// Stderr, without the last columns.
#[derive(Debug)]
pub struct Narrow(Term);

impl Narrow {
    /// Stderr; what is written to it is kept until it is flushed.
    pub fn stderr() -> Narrow {
        Narrow(Term::buffered_stderr())
    }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        TermLike::width(&self.0).saturating_sub(ECHO).max(1)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
