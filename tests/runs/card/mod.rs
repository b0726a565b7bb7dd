//! Whole runs on a discrete card with NVML, made of Mesa's software Vulkan adapter and two stand-ins: a Vulkan layer that shows
//! the adapter as a card at a PCI address, and a driver library that meters what this card does.

mod devices;
mod fake;
mod losses;
mod meters;
mod power;
mod throttles;
