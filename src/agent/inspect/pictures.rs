//! Small gray pictures: how bright, and does anything move. Pure values in and out.

/// Every frame arrives scaled down to this size by averaging, one byte of luma per cell.
pub(super) const WIDTH: usize = 64;
pub(super) const HEIGHT: usize = 48;
pub(super) const CELLS: usize = WIDTH * HEIGHT;

/// A cell that changed by more has visibly changed. Measured: a still, very detailed picture that x264 encodes anew at
/// 250 kbit/s moves its cells by up to 9 from frame to frame; a figure that walks through, by far more.
const VISIBLE: u8 = 12;

/// What the pictures told so far.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    pub(super) frames: u32,
    /// Frames in which something changed visibly since the last one so counted.
    pub(super) moving: u32,
    /// Mean luma of the brightest frame, 0..255.
    pub(super) luma: f64,
    reference: Vec<u8>,
}

impl Pictures {
    /// Takes one picture of [`CELLS`] bytes.
    pub(super) fn picture(&mut self, cells: &[u8]) {
        self.frames = self.frames.saturating_add(1);
        let sum: u64 = cells.iter().map(|c| u64::from(*c)).sum();
        self.luma = self.luma.max(sum as f64 / cells.len().max(1) as f64);
        if self.reference.is_empty() {
            self.reference = cells.to_vec();
        } else if cells.iter().zip(&self.reference).any(|(a, b)| a.abs_diff(*b) > VISIBLE) {
            self.moving = self.moving.saturating_add(1);
            self.reference.copy_from_slice(cells);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(luma: u8) -> Vec<u8> {
        vec![luma; CELLS]
    }

    #[test]
    fn black_stays_black_and_still() {
        let mut pictures = Pictures::default();
        (0..50).for_each(|_| pictures.picture(&flat(16)));
        assert_eq!((pictures.frames, pictures.moving, pictures.luma), (50, 0, 16.0));
    }

    #[test]
    fn an_encoders_refinement_is_no_movement() {
        let mut pictures = Pictures::default();
        (0..50).for_each(|n| pictures.picture(&flat(if n % 10 == 0 { 120 } else { 128 })));
        assert_eq!(pictures.moving, 0);
    }

    #[test]
    fn a_slow_change_adds_up() {
        let mut pictures = Pictures::default();
        (0..=200).for_each(|n| pictures.picture(&flat(n)));
        assert_eq!(pictures.moving, 200 / 13);
        assert_eq!(pictures.luma, 200.0);
    }

    #[test]
    fn one_moving_cell_counts() {
        let mut pictures = Pictures::default();
        for n in 0..10 {
            let mut cells = flat(100);
            cells[n] = 200;
            pictures.picture(&cells);
        }
        assert_eq!(pictures.moving, 9);
    }
}
