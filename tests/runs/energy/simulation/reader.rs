//! Reads a sensor as a thread of a busy machine does: unevenly, slowly, now and then late or not at all.

use super::Random;
use super::sensor::Shown;
use rigbench::energy::Stamped;
use rigbench::units::Seconds;

/// Habits of a reader.
pub struct Reader {
    pub poll: f64,
    /// How long a read takes at most.
    pub latency: f64,
    /// How often one takes half a second.
    pub late: f64,
    /// How often one gives nothing.
    pub failing: f64,
}

impl Reader {
    /// Reads from one moment to another.
    pub fn read(&self, random: &mut Random, shown: &Shown, from: f64, to: f64) -> Vec<Stamped> {
        let mut readings = Vec::new();
        let mut now = from;
        while now < to {
            let before = now;
            let slow = if random.chance(self.late) { 0.5 } else { self.latency };
            let after = before + slow * random.between(0.2, 1.0);
            let moment = random.between(before, after);
            if !random.chance(self.failing) {
                let values = shown.at(moment).to_vec();
                readings.push(Stamped { before: Seconds(before), after: Seconds(after), values });
            }
            now = after + self.poll * random.between(0.8, 1.2);
        }
        readings
    }
}
