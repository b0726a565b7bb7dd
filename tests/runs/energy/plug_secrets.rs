//! Names, passwords and addresses reach the plug and nobody else.

use crate::energy::fake::plug::{Found, Plug, Reply, json, line};
use rigbench::energy::source::{shelly, tasmota};

const USER: &str = "planted-name:planted%20p%40ss@";

fn tells(text: &str) -> bool {
    let text = text.to_lowercase();
    ["planted", "p@ss", "p%40ss", "cgxhbnrl"].iter().any(|secret| text.contains(secret))
}

#[test]
fn a_shelly_gets_them_as_basic_authentication() {
    let plug = Plug::new(crate::energy::fake::plug::gen1);
    shelly::find(&plug.url(USER)).unwrap();
    for request in plug.asked() {
        // base64 of "planted-name:planted p@ss"
        assert_eq!(
            request.authorization.as_deref(),
            Some("Basic cGxhbnRlZC1uYW1lOnBsYW50ZWQgcEBzcw==")
        );
        assert!(!tells(&request.path), "{request:?}");
    }
}

#[test]
fn a_tasmota_gets_them_in_the_query() {
    let plug = Plug::new(crate::energy::fake::plug::tasmota);
    tasmota::find(&plug.url(USER)).unwrap();
    let asked = plug.asked();
    assert_eq!(asked[0].path, "/cm?cmnd=Status%208&user=planted%2Dname&password=planted%20p%40ss");
    assert!(asked.iter().all(|request| request.authorization.is_none()));
}

#[test]
fn none_is_sent_where_none_was_given() {
    let plug = Plug::new(crate::energy::fake::plug::gen1);
    shelly::find(&plug.url("")).unwrap();
    assert!(plug.asked().iter().all(|request| request.authorization.is_none()));
}

#[test]
fn a_refusal_says_what_to_do() {
    for (headers, user, says) in [
        ("WWW-Authenticate: Basic realm=\"shelly\"\r\n", "", "write http://NAME:PASSWORD@HOST"),
        ("WWW-Authenticate: Basic realm=\"shelly\"\r\n", USER, "refuses this name and password"),
        (
            "WWW-Authenticate: Digest qop=\"auth\", realm=\"shellyplusplugs-c049ef8b3a34\"\r\n",
            USER,
            "digest",
        ),
        ("", "", "asks for a password"),
    ] {
        let plug = Plug::new(move |path| match path {
            "/shelly" => json(crate::energy::fake::plug::GEN2),
            _ => Reply::Status(401, headers, String::new()),
        });
        let line = line(shelly::find(&plug.url(user)));
        assert!(line.contains(says), "{line}");
        assert!(!tells(&line) && !plug.is_told_by(&line) && !line.contains("c049ef"), "{line}");
    }
    // Tasmota's own way, with status 200.
    for (user, says) in [("", "asks for a password"), (USER, "refuses this name")] {
        let plug = Plug::new(|_| json(r#"{"WARNING":"Need user=<username>&password=<password>"}"#));
        let line = line(tasmota::find(&plug.url(user)));
        assert!(line.contains(says) && !tells(&line), "{line}");
    }
}

#[test]
fn no_failure_and_no_description_tells_them() {
    let answers: [fn(&str) -> Reply; 7] = [
        |_| Reply::Status(500, "", "planted".into()),
        |_| Reply::Status(404, "", "planted".into()),
        |_| json("planted"),
        |_| json(r#"{"error":"planted"}"#),
        |_| Reply::Raw(b"planted".to_vec()),
        |_| Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nplanted".to_vec()),
        |_| Reply::Hang,
    ];
    for find in [shelly::find as fn(&str) -> Found, tasmota::find] {
        for answer in answers {
            let plug = Plug::new(answer);
            let line = line(find(&plug.url(USER)));
            assert!(!tells(&line) && !plug.is_told_by(&line), "{line}");
        }
        let plug = Plug::new(|path| match path.starts_with("/cm") {
            true => crate::energy::fake::plug::tasmota(path),
            false => crate::energy::fake::plug::gen2(path),
        });
        for source in find(&plug.url(USER)).unwrap() {
            assert!(!tells(&format!("{:?}", source.describe())));
        }
    }
}

#[test]
fn an_address_that_cannot_be_used_is_not_repeated() {
    for url in [
        "planted",
        "https://planted:planted@planted/",
        "ftp://planted",
        "http://",
        "http://pla nted",
        "http://planted:planted@",
        "/planted",
        "http://planted:p#ss@host.invalid:99999",
        "",
    ] {
        for find in [shelly::find as fn(&str) -> Found, tasmota::find] {
            let line = line(find(url));
            assert!(!tells(&line), "{url}: {line}");
        }
    }
}
