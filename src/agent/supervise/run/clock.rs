//! Whether the wall clock was set since the last look. Pure: what it shows comes in as an argument.

/// More than a leap second, and more than many small corrections make from one look to the next. Milliseconds.
const STEP: u64 = 1500;

/// What was seen last, by [`crate::posix::wall_clock_ahead`].
#[derive(Default)]
pub(super) struct Clock(Option<i64>);

impl Clock {
    /// Whether it has been set since the last look. It is so many milliseconds ahead of a clock that nobody sets.
    pub(super) fn is_set(&mut self, ahead: i64) -> bool {
        self.0
            .replace(ahead)
            .is_some_and(|before| ahead.abs_diff(before) > STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_once_whichever_way() {
        let mut clock = Clock::default();
        let looks = [-5, -5, 3_600_000, 3_600_000, 0, 1001, 2002, -86_400_000];
        let told = looks.map(|ahead| clock.is_set(ahead));
        assert_eq!(told, [false, false, true, false, true, false, false, true]);
    }
}
