//! Attributes errors to operations. wgpu reports errors separately from the calls that cause them. Error scopes around each operation
//! turn them into its result, so that one rejected kernel or failed allocation affects nothing else. Only a lost device fails all later
//! operations.

use super::{Gpu, GpuError, one_line};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

/// Every kind of error, most informative first: an object that could not be allocated may also be reported as invalid.
const KINDS: [wgpu::ErrorFilter; 3] =
    [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation];

/// Errors that wgpu reports by callback.
#[derive(Default)]
pub(super) struct Reports {
    /// Why the device was lost, if it was.
    lost: OnceLock<String>,
    /// An error outside every scope, for example of another thread. The next operation returns it.
    stray: Mutex<Option<GpuError>>,
}

impl Reports {
    /// Registers the callbacks of a device.
    pub(super) fn register(device: &wgpu::Device) -> Arc<Reports> {
        let reports = Arc::new(Reports::default());
        let for_errors = reports.clone();
        device.on_uncaptured_error(Arc::new(move |error| {
            for_errors.stray.lock().get_or_insert(error.into());
        }));
        let for_loss = reports.clone();
        device.set_device_lost_callback(move |reason, message| {
            for_loss.lose(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        reports
    }

    /// Marks the device as lost; only the first reason is kept.
    pub(super) fn lose(&self, why: String) {
        let _ = self.lost.set(why);
    }

    pub(super) fn check_lost(&self) -> Result<(), GpuError> {
        self.lost.get().map_or(Ok(()), |why| Err(GpuError::Lost(why.clone())))
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
    /// Whether the device is lost: nothing works on it any more, and it must be opened again.
    pub fn is_lost(&self) -> bool {
        self.reports.lost.get().is_some()
    }

    /// Runs one operation on the device; returns its error, or that the device is lost. The overhead is less than a microsecond.
    pub(super) fn attempt<T>(&self, operation: impl FnOnce() -> T) -> Result<T, GpuError> {
        self.reports.check_lost()?;
        let scopes = KINDS.map(|kind| self.device.push_error_scope(kind));
        let value = operation();
        let mut caught = None;
        for scope in scopes.into_iter().rev() {
            // Does not block: errors are known when the call returns.
            caught = pollster::block_on(scope.pop()).or(caught);
        }
        match caught.map(GpuError::from) {
            // Some operations lose the device when it is out of memory. This one reports out of memory, later ones the loss.
            Some(error @ GpuError::OutOfMemory(_)) => return Err(error),
            Some(error) => return self.reports.check_lost().and(Err(error)),
            None => self.reports.check_lost()?,
        }
        self.reports.stray.lock().take().map_or(Ok(value), Err)
    }

    /// Creates an object in device memory. If the device is out of memory, a flush frees dropped objects and pending writes, and it is
    /// tried once more.
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
