//! Errors belong to the operation that made them. wgpu reports errors beside the calls that cause them; error scopes around
//! each operation turn them into its result, so that one refused kernel or failed allocation fails nothing else. Only a
//! lost device fails all that follows on it.

use super::{Gpu, GpuError, one_line};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Every kind of error, the most telling first: what failed for want of memory may also be invalid afterwards.
const KINDS: [wgpu::ErrorFilter; 3] =
    [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation];

/// What wgpu reports by callback.
#[derive(Default)]
pub(super) struct Reports {
    /// Why the device was lost, if it was.
    lost: OnceLock<String>,
    /// An error outside every scope, as of another thread. The next operation takes it.
    stray: Mutex<Option<GpuError>>,
}

impl Reports {
    /// Receives the reports of a device.
    pub(super) fn of(device: &wgpu::Device) -> Arc<Reports> {
        let reports = Arc::new(Reports::default());
        let of_errors = reports.clone();
        device.on_uncaptured_error(Arc::new(move |error| {
            let mut stray = of_errors.stray.lock().unwrap_or_else(PoisonError::into_inner);
            stray.get_or_insert(error.into());
        }));
        let of_loss = reports.clone();
        device.set_device_lost_callback(move |reason, message| {
            of_loss.lose(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        reports
    }

    /// Notes that the device is lost; the first reason counts.
    pub(super) fn lose(&self, why: String) {
        let _ = self.lost.set(why);
    }

    fn check_lost(&self) -> Result<(), GpuError> {
        match self.lost.get() {
            Some(why) => Err(GpuError::Lost(why.clone())),
            None => Ok(()),
        }
    }

    fn take_stray(&self) -> Result<(), GpuError> {
        match self.stray.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> GpuError {
        match &error {
            wgpu::Error::OutOfMemory { source } => GpuError::OutOfMemory(one_line(&**source)),
            _ => GpuError::Refused(one_line(&error)),
        }
    }
}

impl Gpu {
    /// Whether the device was lost: nothing works on it any more, and it must be opened again.
    pub fn is_lost(&self) -> bool {
        self.reports.lost.get().is_some()
    }

    /// Runs one operation on the device. Takes less than a microsecond beside it.
    ///
    /// # Errors
    /// What the operation caused, or that the device is lost.
    pub(super) fn attempt<T>(&self, operation: impl FnOnce() -> T) -> Result<T, GpuError> {
        self.reports.check_lost()?;
        let scopes = KINDS.map(|kind| self.device.push_error_scope(kind));
        let value = operation();
        let mut caught = None;
        for scope in scopes.into_iter().rev() {
            // Ready at once: errors are known when the call returns.
            caught = pollster::block_on(scope.pop()).or(caught);
        }
        match caught.map(GpuError::from) {
            // Some operations lose the device where they find no memory. That is how they failed; it fails what follows.
            Some(error @ GpuError::OutOfMemory(_)) => return Err(error),
            Some(error) => return self.reports.check_lost().and(Err(error)),
            None => self.reports.check_lost()?,
        }
        self.reports.take_stray()?;
        Ok(value)
    }

    /// Makes something that takes memory of the device. If it has none left, what was dropped or waits to be written is freed
    /// and it is tried once more.
    ///
    /// # Errors
    /// That the device has no room for `what`, or any other cause.
    pub(super) fn make<T>(
        &self,
        what: impl Fn() -> String,
        make: impl Fn() -> T,
    ) -> Result<T, GpuError> {
        let mut made = self.attempt(&make);
        if matches!(made, Err(GpuError::OutOfMemory(_))) && self.flush().is_ok() {
            made = self.attempt(&make);
        }
        made.map_err(|error| match error {
            GpuError::OutOfMemory(_) => GpuError::OutOfMemory(format!("no room for {}", what())),
            other => other,
        })
    }
}
