//! One line about what is going on, for as long as it goes on.

use indicatif::{ProgressBar, ProgressFinish};
use std::io::Write;

/// One line that renews itself on a terminal; elsewhere it is printed once.
pub struct StatusLine {
    bar: Option<ProgressBar>,
    printed: std::cell::Cell<bool>,
}

impl StatusLine {
    pub fn new(terminal: bool) -> StatusLine {
        StatusLine {
            // nothing of it stays on the terminal when it ends
            bar: terminal.then(|| {
                let bar = ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear);
                crate::terminal::lines().add(bar)
            }),
            printed: std::cell::Cell::new(false),
        }
    }

    pub fn show(&self, text: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(text.to_owned());
                bar.tick();
            }
            // whoever reads may have gone, as from `| head`
            None if !self.printed.replace(true) => drop(writeln!(std::io::stdout(), "{text}")),
            None => {}
        }
    }
}
