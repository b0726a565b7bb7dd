//! A kernel that is dispatched repeatedly.

use crate::gpu::{Batch as Submission, Bindings, Dispatch, Flight, Gpu, GpuError, Pipeline};
use crate::kernels::Kernel;
use crate::units::Work;
use crate::workload::{Batch, DEPTH, JobError};
use std::collections::VecDeque;

/// A kernel that is dispatched repeatedly.
pub(super) struct Repeated {
    pub(super) gpu: Gpu,
    pub(super) kernel: Kernel,
    pub(super) pipeline: Pipeline,
    flight: Flight,
    /// Workgroups of each submission in flight.
    submitted: VecDeque<u64>,
}

impl Repeated {
    pub(super) fn new(gpu: &Gpu, kernel: Kernel) -> Result<Repeated, GpuError> {
        Ok(Repeated {
            pipeline: gpu.compile(&kernel)?,
            flight: Flight::new(gpu, DEPTH, 0)?,
            gpu: gpu.clone(),
            kernel,
            submitted: VecDeque::new(),
        })
    }

    /// Dispatches workgroups with each of these bindings, in order.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn submit<'a>(
        &mut self,
        calls: impl Iterator<Item = (&'a Bindings, u32)>,
    ) -> Result<(), GpuError> {
        let pipeline = &self.pipeline;
        let mut groups = 0;
        let dispatches = calls.map(|(bindings, x)| {
            groups += u64::from(x);
            Dispatch { pipeline, bindings, groups: [x, 1, 1] }
        });
        self.flight
            .submit(&Submission { dispatches: dispatches.collect(), ..Submission::default() })?;
        self.submitted.push_back(groups);
        Ok(())
    }

    /// Blocks until the oldest submission is done.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn wait(&mut self) -> Result<Batch, JobError> {
        let gpu_seconds = self.flight.wait()?.expect("a batch is in flight").gpu_seconds;
        let groups = self.submitted.pop_front().expect("as many as submissions");
        let invocations = groups * u64::from(self.kernel.workgroup[0]);
        let work = Work(invocations * u64::from(self.kernel.number("WORK_PER_INVOCATION")));
        Ok(Batch { work, gpu_seconds })
    }
}
