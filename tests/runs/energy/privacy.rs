//! Nothing in a result tells whose machine it is: secrets are planted wherever a user may have some, and looked for.

use crate::awaited::RUN;
use std::fs::read_to_string;

#[test]
fn a_result_tells_nobody_whose_it_is() {
    let (written, said, document, plugs) = (&RUN.written, &RUN.said, &RUN.document, &RUN.plugs);
    assert!(!RUN.file_name.contains("planted"));
    assert!(written.contains("\"shelly\"") && written.contains("\"command\""), "sources by kind");

    let manifest = &document["evidence"]["manifest"];
    for recorded in ["RIGBENCH_SYSFS", "VK_DRIVER_FILES", "LD_PRELOAD"] {
        assert_eq!(manifest["environment"][recorded], "set", "{recorded}");
    }
    // A layer by its name; what may be a path or a name only by the variable that has it.
    let layers = &manifest["host"]["driver_layers"];
    let known = ["VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", "VK_LOADER_LAYERS_ENABLE"];
    assert_eq!(*layers, serde_json::json!(known));

    let own = |path: &str| read_to_string(path).unwrap_or_default().trim().to_string();
    let mut secrets: Vec<String> = vec!["planted".into(), "p@ss".into(), "127.0.0.1".into()];
    secrets.extend([
        own("/proc/sys/kernel/hostname"),
        own("/etc/machine-id"),
        own("/sys/class/dmi/id/product_uuid"),
    ]);
    secrets.extend(std::env::var("USER"));
    secrets.extend(std::env::current_dir().unwrap().to_str().map(str::to_string));
    let interfaces = std::fs::read_dir("/sys/class/net").into_iter().flatten();
    secrets.extend(interfaces.map(|i| own(&i.unwrap().path().join("address").to_string_lossy())));
    let words = written.to_lowercase();
    for secret in secrets.iter().filter(|s| s.len() > 3 && !s.starts_with("00:00:00")) {
        let alone = words.match_indices(&secret.to_lowercase()).any(|(at, _)| {
            !secret.chars().all(char::is_alphabetic) || is_word(&words, at, secret.len())
        });
        assert!(!alone, "'{secret}' stands in the result");
    }
    assert!(!plugs.iter().any(|plug| plug.is_told_by(written)));
    assert!(
        !said.contains("p@ss") && !said.contains("p%40ss") && !said.contains("planted-word"),
        "{said}"
    );
}

/// A user may be called `root`, which is part of other words.
fn is_word(text: &str, at: usize, length: usize) -> bool {
    let letter = |i: Option<usize>| {
        i.and_then(|i| text.as_bytes().get(i)).is_some_and(u8::is_ascii_alphanumeric)
    };
    !letter(at.checked_sub(1)) && !letter(Some(at + length))
}
