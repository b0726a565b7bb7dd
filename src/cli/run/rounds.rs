//! Tunes and verifies the rows of one device, then measures them in rounds: one block of each row that still needs one, in an order
//! shuffled by the seed, so that drift averages out and no row always follows the same neighbour.

use super::super::interrupt;
use super::super::progress::RowProgress;
use super::Plan;
use crate::device::Device;
use crate::energy::Meter;
use crate::measure::{Event, MeasureError, Measurer, Mode, Observer};
use crate::results::{self, Failure, FailureCode, Kernel, Outcome, Row, StoreError};
use crate::tune::Effort;
use crate::units::Seconds;
use crate::workload::data::Seed;
use crate::workload::{Job, JobError, Target, Workload};
use std::ops::ControlFlow;

/// The measurement of all rows on one device.
pub(super) struct Rounds<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// The index of the device.
    pub(super) number: usize,
    pub(super) seed: Seed,
}

/// A job that is ready to be measured.
struct Prepared {
    job: Box<dyn Job>,
    batch: Option<Seconds>,
}

impl Rounds<'_> {
    /// Measures every workload and passes the rows so far to `store` after each block. An interruption leaves the rest out.
    pub(super) fn measure(
        &self,
        store: &mut dyn FnMut(Vec<Row>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let workloads = &self.plan.workloads;
        let (mut rows, mut prepared) = (Vec::new(), Vec::new());
        for (i, workload) in workloads.iter().enumerate() {
            let mut row = self.row(workload.as_ref());
            let job = self.prepare(i, &mut row);
            prepared.push(job.unwrap_or_else(|error| fail(&mut row, &error)));
            rows.push(row);
            if interrupt::asked() {
                return Ok(());
            }
        }
        let mut measuring = Vec::new();
        for (i, prepared) in prepared.iter_mut().enumerate() {
            let begun = prepared.as_mut().map(|prepared| self.begin(i, prepared)).transpose();
            measuring.push(begun.unwrap_or_else(|error| fail(&mut rows[i], &error)));
            if interrupt::asked() {
                return Ok(());
            }
        }
        store(finished(&rows))?;
        for round in 0.. {
            let due = |i: &usize| measuring[*i].as_ref().is_some_and(Measurer::needs_more_blocks);
            let mut order: Vec<usize> = (0..rows.len()).filter(due).collect();
            if order.is_empty() {
                break;
            }
            let name = format!("order {round}");
            order.sort_by_key(|&i| results::row_seed(self.seed, &rows[i]).child(&name).0);
            for i in order {
                let Some(row) = &mut measuring[i] else { continue };
                let outcome = row.block(&mut self.display(i));
                let stopped = matches!(outcome, Err(MeasureError::Interrupted));
                match outcome {
                    Err(error) if !stopped => {
                        measuring[i] = None;
                        let tuning = rows[i].tuning.take();
                        rows[i] = Row { tuning, ..self.row(workloads[i].as_ref()) };
                        rows[i].outcome = Outcome::Failed((&error).into());
                        store(finished(&rows))?;
                        continue;
                    }
                    _ if row.has_windows() => rows[i].measured(row.measurement()),
                    _ => {}
                }
                store(finished(&rows))?;
                tracing::info!("{} {}: a block is kept", self.device().id, workloads[i].spec());
                if stopped {
                    return Ok(());
                }
            }
        }
        for (i, row) in measuring.iter().enumerate() {
            if let Some(row) = row.as_ref().filter(|row| row.has_windows()) {
                row.await_meters(&mut self.display(i));
                rows[i].measured(row.measurement());
            }
        }
        store(finished(&rows))
    }

    fn device(&self) -> &Device {
        &self.plan.devices[self.number]
    }

    /// Shows the events of a row on its progress bar, and breaks once the user interrupts.
    fn display(&self, i: usize) -> impl FnMut(Event) -> ControlFlow<()> {
        let Plan { devices, workloads, .. } = self.plan;
        let total = devices.len() * workloads.len();
        let number = self.number * workloads.len() + i + 1;
        let progress = RowProgress::new(number, total, self.device(), workloads[i].as_ref());
        move |event| progress.show(event)
    }

    fn row(&self, workload: &dyn Workload) -> Row {
        let no_source = self.plan.power.absence(self.device(), workload.id());
        let row = Row::new(self.device().id.clone(), workload.describe(self.device()));
        Row { no_source, ..row }
    }

    /// Chooses a kernel and prepares its data; `None` if the device does not support the workload.
    fn prepare(&self, i: usize, row: &mut Row) -> Result<Option<Prepared>, MeasureError> {
        let workload = self.plan.workloads[i].as_ref();
        if let Err(error) = &self.plan.targets[self.number] {
            return Err(MeasureError::Job(error.clone().into()));
        }
        // Each row opens its own device handle, so that a lost device does not affect other rows.
        let mut target = Target::open(self.device()).map_err(JobError::from)?;
        if let Some(reason) = workload.unsupported(&target) {
            row.outcome = Outcome::Unsupported(Failure::new(FailureCode::Limit, reason));
            return Ok(None);
        }
        let quick = self.plan.mode == Mode::Quick;
        let effort = if quick { Effort::Quick } else { Effort::Full };
        let mut display = self.display(i);
        let choice =
            self.plan
                .skip
                .tuner(effort, false)
                .choose(workload, &mut target, &mut |share| display(Event::Tuning(share)))?;
        row.tuning = Some(choice.record);
        let seed = results::row_seed(self.seed, row);
        let job = workload.prepare(&target, &choice.variant, seed)?;
        row.kernel = Some(Kernel {
            id: choice.variant.id().to_string(),
            params: job.kernel().map(|k| k.params.clone()).unwrap_or_default(),
            wgsl_sha256: job.kernel().map(|k| k.sha256()),
            arithmetic: job.arithmetic().map(|a| a.into_str().to_string()),
        });
        Ok(Some(Prepared { job, batch: choice.batch }))
    }

    /// Verifies the job and returns its measurer; nothing is timed yet.
    fn begin<'a>(
        &'a self,
        i: usize,
        prepared: &'a mut Prepared,
    ) -> Result<Measurer<'a>, MeasureError> {
        let Plan { power, protocol, .. } = self.plan;
        let meter = Meter::new(&power.sampling, &self.device().id);
        let observer = Observer::new(self.device());
        let Prepared { job, batch } = prepared;
        Measurer::begin(job.as_mut(), meter, observer, protocol, *batch, &mut self.display(i))
    }
}

/// Records that a row is unsupported, failed or crashed. Always `None`.
fn fail<T>(row: &mut Row, error: &MeasureError) -> Option<T> {
    row.outcome = match error {
        MeasureError::Job(job) if job.is_unsupported() => {
            row.tuning = None;
            Outcome::Unsupported(error.into())
        }
        MeasureError::Crashed(_) => Outcome::Crashed(error.into()),
        _ => Outcome::Failed(error.into()),
    };
    None
}

/// Rows with windows, and rows that are unsupported, failed or crashed.
fn finished(rows: &[Row]) -> Vec<Row> {
    let is_finished = |row: &&Row| row.windows.is_some() || row.outcome != Outcome::Measured;
    rows.iter().filter(is_finished).cloned().collect()
}
