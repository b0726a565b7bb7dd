//! The progress bar on stderr, for the current row. Hidden if stderr is not a terminal. With `RIGBENCH_LOG=info` each finished window is
//! also logged.

use super::interrupt;
use crate::device::Device;
use crate::measure::Event;
use crate::text::plain;
use crate::units::{Rate, Unit};
use crate::workload::Workload;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::time::Duration;

/// The progress bar of one row.
pub(super) struct RowProgress {
    bar: ProgressBar,
    unit: Unit,
}

impl RowProgress {
    /// A bar for a row: its number from 1, and how many rows there are.
    pub(super) fn new(row: usize, rows: usize, device: &Device, workload: &dyn Workload) -> Self {
        let bar = ProgressBar::new(1000);
        let style = ProgressStyle::with_template(
            "{spinner} {prefix} {wide_bar:.cyan/dim} {msg:>24} {elapsed:>4}",
        );
        bar.set_style(style.expect("this template is right").progress_chars("━╸─"));
        let name = format!("{} {}", device.id, workload.spec());
        bar.set_prefix(format!("[{row}/{rows}] {}", plain(&name)));
        bar.set_message("preparing");
        bar.enable_steady_tick(Duration::from_millis(120));
        RowProgress { bar, unit: workload.unit() }
    }

    /// Shows the current step of the measurement, and breaks once the user interrupts.
    pub(super) fn show(&self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Tuning(share) => {
                self.bar.set_message("trying kernels");
                self.bar.set_position((share * 1000.0) as u64);
            }
            Event::Verifying => self.bar.set_message("checking the kernel"),
            Event::Resting => self.bar.set_message("resting"),
            Event::WarmingUp => self.bar.set_message("warming up"),
            Event::Progress(share) => self.bar.set_position((share * 1000.0) as u64),
            Event::Window(window, windows, rate) => {
                let rate = Rate { per_second: rate, unit: self.unit };
                tracing::info!("{}: window {window}/{windows}, {rate}", self.bar.prefix());
                self.bar.set_message(format!("{rate}, window {window}/{windows}"));
            }
            Event::Checking => self.bar.set_message("checking the output"),
            Event::AwaitingMeter => self.bar.set_message("waiting for the meter"),
        }
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for RowProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
