//! Many runs write to one folder at once, and none of them touches another's file.

use super::{begun, consistent, documents};
use rigbench::results::OutDir;

#[test]
fn runs_that_begin_in_one_second_have_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    const WRITERS: usize = 300;
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut run = begun();
                let file = OutDir::open(folder.path()).unwrap().create(&run).unwrap();
                let id = run.run.id.clone();
                run.run.labels.insert("written-again-by".into(), id.clone());
                file.replace(&run).unwrap();
                let name = file.path().file_name().unwrap().to_str().unwrap();
                assert!(name.starts_with("20261130T120000Z-") && name.contains(&id), "{name}");
            });
        }
    });
    let files = documents(folder.path());
    assert_eq!(files.len(), WRITERS);
    // Nothing else is left either.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), WRITERS);
    for file in &files {
        let document = consistent(file);
        let run = &document.evidence.run;
        assert_eq!(run.labels["written-again-by"], run.id);
        assert!(file.to_str().unwrap().contains(&run.id));
    }
}

#[test]
fn a_file_that_exists_is_never_replaced_by_a_run_that_begins() {
    let folder = tempfile::tempdir().unwrap();
    let out = OutDir::open(folder.path()).unwrap();
    let mut run = begun();
    let file = out.create(&run).unwrap();
    let before = std::fs::read(file.path()).unwrap();
    run.run.attempt = Some(2);
    let refused = out.create(&run).err().expect("its name is taken").to_string();
    assert!(refused.contains("--out") && refused.lines().count() == 1, "{refused}");
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Others may read a result, as far as the umask lets them.
#[cfg(unix)]
#[test]
fn a_result_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let run = begun();
    let file = OutDir::open(folder.path()).unwrap().create(&run).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    let other = folder.path().join("other");
    std::fs::write(&other, "").unwrap();
    assert_eq!(mode(file.path()), mode(&other));
    file.replace(&run).unwrap();
    assert_eq!(mode(file.path()), mode(&other));
}
