//! The card: its two libraries, built by the C compiler that Rust links with, and the program run with them.

use crate::support;
use rigbench::energy::{NoFigure, SourceInfo};
use rigbench::measure::BoardTelemetry;
use rigbench::results::{Document, Energy, Row, RowFigures};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::{LazyLock, Once};
use tempfile::TempDir;

/// The name that both libraries give the card.
pub const NAME: &str = "NVIDIA GeForce RTX 3080";

/// Products that runs on the card compute.
pub const WORKLOADS: [&str; 2] = ["gemm:128x128x128:f32", "gemm:96x64x64:f32"];

/// A card with something wrong with it, or nothing.
pub struct Card {
    folder: TempDir,
    libraries: &'static Path,
}

/// A run that came to its end, and that `rigbench validate` found consistent.
pub struct Run {
    pub document: Document,
    pub path: PathBuf,
    _folder: TempDir,
}

impl Card {
    /// A card in this state, in words that `fake/nvml.c` lists. `None`, with a word on the reason, where none can be made.
    pub fn with(test: &str, state: &str) -> Option<Card> {
        let libraries = match &*LIBRARIES {
            Ok(libraries) => libraries,
            Err(why) => {
                support::not_run(test, why);
                return None;
            }
        };
        let card = Card { folder: tempfile::tempdir().unwrap(), libraries };
        card.becomes(state);
        let devices = card.says(&["devices", "--json"]);
        if !devices.contains(NAME) {
            support::not_run(test, "there is no software Vulkan adapter (Mesa's lavapipe)");
            return None;
        }
        Some(card)
    }

    /// From now on it is in this state.
    pub fn becomes(&self, state: &str) {
        let fresh = self.folder.path().join("fresh");
        std::fs::write(&fresh, state).unwrap();
        std::fs::rename(fresh, self.state()).unwrap();
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The program on a machine with this card and no other sensors.
    pub fn rigbench(&self, args: &[&str]) -> Command {
        let mut command = support::rigbench(args);
        command
            // No adapter but Mesa's own software, should the machine have a card.
            .env("VK_LOADER_DRIVERS_SELECT", "*lvp*")
            .env("VK_LAYER_PATH", self.libraries)
            .env("VK_INSTANCE_LAYERS", "VK_LAYER_TEST_card")
            .env("LD_LIBRARY_PATH", self.libraries)
            .env("CARD_STATE", self.state())
            .env("RIGBENCH_SYSFS", self.folder.path());
        command
    }

    /// What the program prints, which must go well.
    pub fn says(&self, args: &[&str]) -> String {
        let output = self.rigbench(args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The card as `rigbench devices --json` shows it.
    pub fn shown(&self) -> Value {
        let devices: Value = serde_json::from_str(&self.says(&["devices", "--json"])).unwrap();
        devices.as_array().unwrap().iter().find(|device| device["name"] == NAME).unwrap().clone()
    }

    /// Has the kernels of all runs tuned once, so that several runs at a time do not all do it: ends a run that has come to its windows.
    fn tune(&self) {
        static TUNED: Once = Once::new();
        TUNED.call_once(|| {
            let folder = tempfile::tempdir().unwrap();
            let mut command = self.rigbench(&["run", "--quick", "--device", "gpu:0"]);
            command.args(["--power", "none", "--out"]).arg(folder.path());
            for workload in WORKLOADS {
                command.args(["--workload", workload]);
            }
            support::followed(&mut command, |line, process| {
                if line.contains(": window ") {
                    _ = Command::new("kill").args(["-INT", &process.to_string()]).status();
                }
            });
        });
    }

    /// A quick run of these workloads on the card; `heard` gets each line that the program writes to its log.
    pub fn run(&self, workloads: &[&str], mut heard: impl FnMut(&str)) -> Run {
        self.tune();
        let folder = tempfile::tempdir().unwrap();
        let mut command = self.rigbench(&["run", "--quick", "--device", "gpu:0"]);
        for workload in workloads {
            command.args(["--workload", workload]);
        }
        command.arg("--out").arg(folder.path());
        let (code, said) = support::followed(&mut command, |line, _| heard(line));
        assert_eq!(code, Some(0), "{said}");
        let path =
            std::fs::read_dir(folder.path()).unwrap().next().expect("a file").unwrap().path();
        let judged = self.rigbench(&["validate"]).arg(&path).output().unwrap();
        assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
        let document = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        Run { document, path, _folder: folder }
    }
}

/// The rows of a run with what follows from them.
pub fn rows(run: &Run) -> Vec<(&Row, &RowFigures)> {
    let rows: Vec<_> = run.document.rows().collect();
    assert_eq!(rows.len(), run.document.evidence.rows.len());
    rows
}

/// The meter of a figure.
pub fn meter<'a>(run: &'a Run, energy: &Energy) -> &'a SourceInfo {
    run.document.evidence.manifest.source(energy.source.unwrap()).unwrap().meter().unwrap()
}

/// The joules of a row that are measured, each with its source.
pub fn measured<'a>(run: &'a Run, row: &'a RowFigures) -> Vec<(&'a Energy, &'a SourceInfo)> {
    let measured = row.energies().filter(|energy| energy.measured.is_some());
    let measured = measured.map(|energy| (energy, meter(run, energy)));
    measured.inspect(|(e, _)| assert!(e.provenance().is_measured(), "{e:?}")).collect()
}

/// Why there are no joules, of each source that has none.
pub fn absences<'a>(run: &'a Run, row: &'a RowFigures) -> Vec<(&'a NoFigure, &'a SourceInfo)> {
    let none = row.energies().filter_map(|energy| {
        assert_eq!(energy.no_figure.is_some(), energy.measured.is_none(), "{energy:?}");
        Some((energy.no_figure.as_ref()?, meter(run, energy)))
    });
    none.collect()
}

/// The states of the card that a row's telemetry has: one at the start of each block and one at the end of each window,
/// or one for all where they are alike.
pub fn board(row: &Row) -> &BoardTelemetry {
    let telemetry = row.telemetry.as_ref().expect("it was looked at");
    assert!(telemetry.has_length(row.windows.as_ref().unwrap().samples()), "{telemetry:?}");
    telemetry.board.as_ref().expect("the card's state")
}

/// The folder with the layer and the driver library, or why they cannot be built. They are kept from run to run.
static LIBRARIES: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("card");
    std::fs::create_dir_all(&folder).unwrap();
    build(&folder, "layer.c", "libcard_layer.so")?;
    build(&folder, "nvml.c", "libnvidia-ml.so.1")?;
    let manifest = serde_json::json!({
        "file_format_version": "1.1.0",
        "layer": {
            "name": "VK_LAYER_TEST_card",
            "type": "INSTANCE",
            "library_path": "./libcard_layer.so",
            "api_version": "1.3.0",
            "implementation_version": "1",
            "description": "Shows the software adapter as a card",
        },
    });
    put(&folder, "card_layer.json", |path| std::fs::write(path, manifest.to_string()).unwrap());
    Ok(folder)
});

/// Makes a file under another name first, so that another run of these tests never reads half of it.
fn put(folder: &Path, name: &str, make: impl FnOnce(&Path)) {
    let fresh = folder.join(format!("{name}.{}", process::id()));
    make(&fresh);
    std::fs::rename(fresh, folder.join(name)).unwrap();
}

fn build(folder: &Path, source: &str, library: &str) -> Result<(), String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/card/fake").join(source);
    // The program closes the driver library and opens it again: what it counts must outlive that.
    let flags = ["-shared", "-fPIC", "-O1", "-pthread", "-Wl,-z,nodelete", "-o"];
    let mut compiler = Command::new("cc");
    if compiler.arg("--version").output().is_err() {
        return Err("there is no C compiler (cc)".into());
    }
    put(folder, library, |path| {
        let built = Command::new("cc").args(flags).arg(path).arg(&source).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    });
    Ok(())
}
