//! Joules: sources over their real interfaces, complaints that others have had, and the meter in simulated time.

mod baseline;
mod command_ends;
mod command_readings;
mod command_trouble;
mod complaints;
mod complaints_of_sensors;
mod coverage;
mod doctor;
pub mod fake;
mod hwmon;
mod live;
mod nvml;
mod plug_channels;
mod plug_readings;
mod plug_secrets;
mod plug_trouble;
mod plug_units;
mod privacy;
mod rapl;
mod response;
pub mod run;
mod scopes;
mod several;
mod simulation;
