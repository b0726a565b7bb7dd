//! Measures the rows of one device in interleaved blocks. Each round shuffles their order by the seed, so that drift affects all
//! rows and no row always follows the same heat load.

use super::super::interrupt;
use super::super::progress::RowProgress;
use super::Plan;
use crate::device::Device;
use crate::energy::Meter;
use crate::gpu::GpuError;
use crate::measure::{Event, MeasureError, Measurer, Mode, Observer, Protocol};
use crate::results::{self, Failure, FailureCode, Kernel, Outcome, Row, StoreError};
use crate::tune::{Effort, Tuner};
use crate::units::Seconds;
use crate::workload::data::Seed;
use crate::workload::{Job, JobError, Target, Workload};
use std::ops::ControlFlow;

/// The measurement of all rows on one device.
pub(super) struct Rounds<'a> {
    pub(super) plan: &'a Plan,
    pub(super) device: &'a Device,
    pub(super) target: &'a Result<Target, GpuError>,
    pub(super) seed: Seed,
    /// For the progress bar: the rows of earlier devices, and all rows of the run.
    pub(super) before: usize,
    pub(super) total: usize,
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
            match self.prepare(i, &mut row) {
                Ok(job) => prepared.push(job),
                Err(MeasureError::Interrupted) => return Ok(()),
                Err(error) => {
                    fail(&mut row, &error);
                    prepared.push(None);
                }
            }
            rows.push(row);
        }
        let mut measuring = Vec::new();
        for (i, prepared) in prepared.iter_mut().enumerate() {
            let begun = prepared.as_mut().map(|prepared| self.begin(i, prepared)).transpose();
            measuring.push(match begun {
                Ok(measuring) => measuring,
                Err(MeasureError::Interrupted) => return Ok(()),
                Err(error) => {
                    fail(&mut rows[i], &error);
                    None
                }
            });
        }
        store(finished(&rows))?;
        for round in 0.. {
            let due = |i: &usize| measuring[*i].as_ref().is_some_and(Measurer::needs_more_blocks);
            let mut order: Vec<usize> = (0..rows.len()).filter(due).collect();
            if order.is_empty() {
                break;
            }
            order.sort_by_key(|&i| self.sort_key(i, round));
            for i in order {
                let Some(row) = &mut measuring[i] else { continue };
                let stopped = match row.block(&mut self.display(i)) {
                    Ok(()) => false,
                    Err(MeasureError::Interrupted) => true,
                    Err(error) => {
                        measuring[i] = None;
                        rows[i] = Row {
                            tuning: rows[i].tuning.take(),
                            ..self.row(workloads[i].as_ref())
                        };
                        rows[i].outcome = Outcome::Failed((&error).into());
                        store(finished(&rows))?;
                        continue;
                    }
                };
                if row.has_windows() {
                    rows[i].measured(row.measurement());
                }
                store(finished(&rows))?;
                tracing::info!("{} {}: a block is kept", self.device.id, workloads[i].spec());
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

    /// Sort key of a row within a round.
    fn sort_key(&self, i: usize, round: u32) -> [u8; 32] {
        self.row_seed(self.plan.workloads[i].as_ref()).child(&format!("order {round}")).0
    }

    fn row_seed(&self, workload: &dyn Workload) -> Seed {
        results::row_seed(self.seed, &self.row(workload))
    }

    /// Shows the events of a row on its progress bar, and breaks once the user interrupts.
    fn display(&self, i: usize) -> impl FnMut(Event) -> ControlFlow<()> {
        let workload = &self.plan.workloads[i];
        let name = format!("{} {}", self.device.id, workload.spec());
        let progress = RowProgress::new(self.before + i + 1, self.total, &name, workload.unit());
        move |event| {
            progress.show(event);
            if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    fn row(&self, workload: &dyn Workload) -> Row {
        let no_source = self.plan.power.absence(self.device, workload.id());
        let row = Row::new(self.device.id.clone(), workload.describe(self.device));
        Row { no_source, ..row }
    }

    /// Chooses a kernel and prepares its data; `None` if the device does not support the workload.
    fn prepare(&self, i: usize, row: &mut Row) -> Result<Option<Prepared>, MeasureError> {
        let workload = self.plan.workloads[i].as_ref();
        if let Err(error) = self.target {
            return Err(MeasureError::Job(error.clone().into()));
        }
        // Each row opens its own device handle, so that a lost device does not affect other rows.
        let mut target = Target::open(self.device).map_err(JobError::from)?;
        if let Some(reason) = workload.unsupported(&target) {
            row.outcome = Outcome::Unsupported(Failure::new(FailureCode::Limit, reason));
            return Ok(None);
        }
        let effort = match self.plan.protocol.mode {
            Mode::Quick => Effort::Quick,
            _ => Effort::Full,
        };
        let mut display = self.display(i);
        let choice = Tuner::new(effort, false)
            .choose(workload, &mut target, &mut |share| display(Event::Tuning(share)))?;
        row.tuning = Some(choice.record);
        let job = workload.prepare(&target, &choice.variant, self.row_seed(workload))?;
        row.kernel = Some(Kernel {
            id: choice.variant.id().to_string(),
            params: job.kernel().map(|k| k.params.clone()).unwrap_or_default(),
            wgsl_sha256: job.kernel().map(|k| k.sha256()),
            arithmetic: job.arithmetic().map(|a| a.name().to_string()),
        });
        Ok(Some(Prepared { job, batch: choice.batch }))
    }

    fn begin<'a>(
        &'a self,
        i: usize,
        prepared: &'a mut Prepared,
    ) -> Result<Measurer<'a>, MeasureError> {
        let Plan { power, protocol, .. } = self.plan;
        let meter = Meter::new(&power.sampling, &self.device.id);
        let protocol = Protocol { batch: prepared.batch, ..*protocol };
        let observer = Observer::new(self.device);
        Measurer::begin(prepared.job.as_mut(), meter, observer, &protocol, &mut self.display(i))
    }
}

/// Records why a row has no figures: the device does not support the workload, or it failed.
fn fail(row: &mut Row, error: &MeasureError) {
    row.outcome = match error {
        MeasureError::Job(job) if job.is_unsupported() => {
            row.tuning = None;
            Outcome::Unsupported(error.into())
        }
        _ => Outcome::Failed(error.into()),
    };
}

/// The rows that have windows or an outcome.
fn finished(rows: &[Row]) -> Vec<Row> {
    rows.iter().filter(|row| row.is_known()).cloned().collect()
}
