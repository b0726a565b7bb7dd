//! Files that are mistaken for a model.

use rigbench::model::Gguf;

#[test]
fn files_mistaken_for_a_model_are_identified() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4661211808\n";
    let safetensors = [&600u64.to_le_bytes()[..], b"{\"__metadata__\":{}}"].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    for (head, what) in [
        (&b""[..], "is empty"),
        (&[0; 512], "zero bytes"),
        (pointer, "Git LFS pointer to a file of 4."),
        (b"version https://git-lfs", "Git LFS pointer to a file, not"),
        (b"<!doctype html><html><body>401 Unauthorized</body></html>", "web page"),
        (b"\xef\xbb\xbf\r\n<HTML>", "web page"),
        (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "web page"),
        (b"{\"error\":\"Access to this model is restricted\"}", "is JSON"),
        (b"Entry not found", "is a text"),
        ("Zugriff verweigert f\u{fc}r".as_bytes().split_last().unwrap().1, "is a text"),
        (b"half a character \xe2\x82", "is a text"),
        (b"PK\x03\x04\x00\x00archive/data.pkl", "PyTorch"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"tjgg\x03\x00\x00\x00", "GGML"),
        (b"lmgg\x00\x7d\x00\x00", "GGML"),
        (&safetensors, "safetensors"),
        (b"GGU", "is a text"),
        (b"\x7fELF\x02\x01\x01\x00", "not a GGUF"),
        (b"GGU\xff\x00", "not a GGUF"),
    ] {
        std::fs::write(&path, head).unwrap();
        let line = Gguf::open(&path).err().unwrap().to_string();
        let (_, line) = line.split_once("the model file ").unwrap();
        assert!(line.contains(what) && !line.contains('\n'), "{what}: {line}");
        assert!(line.split_once(": ").is_some_and(|(_, advice)| advice.len() > 10), "{line}");
    }
}
