//! A plug on loopback: answers HTTP as a test says, well or badly.

#![allow(dead_code)] // No test uses all of it.

use rigbench::energy::{EnergyError, EnergySource};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the plug was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub authorization: Option<String>,
}

/// What it does then.
pub enum Reply {
    /// Answers with this status, these header lines and this body.
    Status(u16, &'static str, String),
    /// Answers well after so long.
    Late(Duration, String),
    /// Sends just these bytes.
    Raw(Vec<u8>),
    /// Says nothing until the test is over.
    Hang,
    /// Begins an answer and then sends a byte now and then until the test is over.
    Drip,
}

pub fn json(body: &str) -> Reply {
    Reply::Status(200, "", body.into())
}

pub fn missing() -> Reply {
    Reply::Status(404, "", "No handler".into())
}

pub struct Plug {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Plug {
    pub fn new(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Plug {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (theirs, log, answer) = (Arc::clone(&over), Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if theirs.load(Ordering::Relaxed) {
                    return;
                }
                let (over, log, answer) =
                    (Arc::clone(&theirs), Arc::clone(&log), Arc::clone(&answer));
                // A client that goes away in the middle is no failure of the plug.
                thread::spawn(move || {
                    let mut stream = stream.ok()?;
                    let request = read(&stream)?;
                    log.lock().unwrap().push(request.clone());
                    write(&mut stream, answer(&request.path), &over)
                });
            }
        });
        Plug { address, over, asked }
    }

    /// Its address, with what stands before the host.
    pub fn url(&self, user: &str) -> String {
        format!("http://{user}{}", self.address)
    }

    /// All that it was asked.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// Whether a text tells where it is.
    pub fn is_told_by(&self, text: &str) -> bool {
        // Longer numbers may contain the digits of its port.
        let port = self.address.port().to_string();
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        text.contains("127.0.0.1") || words.any(|word| word == port)
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_string();
    let mut authorization = None;
    for line in lines {
        match line.ok()?.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                authorization = Some(value.to_string());
            }
            Some(_) => {}
            None => break,
        }
    }
    Some(Request { path, authorization })
}

fn write(stream: &mut TcpStream, reply: Reply, over: &AtomicBool) -> Option<()> {
    let mut send = |status: u16, headers: &str, body: &str| {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()
    };
    match reply {
        Reply::Status(status, headers, body) => send(status, headers, &body),
        Reply::Late(time, body) => {
            thread::sleep(time);
            send(200, "", &body)
        }
        Reply::Raw(bytes) => {
            stream.write_all(&bytes).ok()?;
            stream.shutdown(Shutdown::Write).ok()
        }
        Reply::Hang | Reply::Drip => {
            if let Reply::Drip = reply {
                stream.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 60000\r\n\r\n{").ok()?;
            }
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
                if let Reply::Drip = reply {
                    stream.write_all(b" ").ok()?;
                }
            }
            Some(())
        }
    }
}

/// What `find` of a kind of plug gives.
pub type Found = Result<Vec<Box<dyn EnergySource>>, EnergyError>;

/// The one line that it fails with.
pub fn line(found: Found) -> String {
    let Err(error) = found else { panic!("taken") };
    let line = error.to_string();
    assert!(!line.contains(['\n', '\r']) && (20..250).contains(&line.len()), "{line:?}");
    line
}

pub const GEN1: &str = r#"{"type":"SHPLG-S","mac":"A8032ABE54DC","auth":false,"fw":"20230913-113421/v1.14.0-gcb84623","num_outputs":1,"num_meters":1}"#;
pub const GEN1_STATUS: &str = r#"{"relays":[{"ison":true}],"meters":[{"power":241.75,"overpower":0.0,"is_valid":true,"timestamp":1700000000,"counters":[240.1,239.9,241.0],"total":98765}],"mac":"A8032ABE54DC"}"#;
pub const GEN2: &str = r#"{"name":"my desk","id":"shellyplusplugs-c049ef8b3a34","mac":"C049EF8B3A34","model":"SNPL-00112EU","gen":2,"fw_id":"20231107-164738/1.0.8-g","ver":"1.0.8","app":"PlusPlugS","auth_en":false}"#;
pub const GEN2_STATUS: &str = r#"{"id":0,"source":"init","output":true,"apower":312.4,"voltage":230.1,"current":1.36,"aenergy":{"total":1234.567,"by_minute":[5210.1,5198.7,5201.3],"minute_ts":1700000000}}"#;
pub const TASMOTA: &str = r#"{"StatusSNS":{"Time":"2026-01-01T00:00:00","ENERGY":{"TotalStartTime":"2025-01-01T00:00:00","Total":12.345,"Yesterday":1.2,"Today":0.4,"Power":187,"ApparentPower":190,"Factor":0.98,"Voltage":231,"Current":0.82}}}"#;
pub const TASMOTA_MODULE: &str = r#"{"Module":{"43":"Sonoff Pow R2"}}"#;
pub const TASMOTA_FIRMWARE: &str =
    r#"{"StatusFWR":{"Version":"13.1.0(tasmota)","BuildDateTime":"2023-08-15T12:40:42"}}"#;

pub fn gen1(path: &str) -> Reply {
    match path {
        "/shelly" => json(GEN1),
        "/status" => json(GEN1_STATUS),
        _ => missing(),
    }
}

pub fn gen2(path: &str) -> Reply {
    match path {
        "/shelly" => json(GEN2),
        "/rpc/Switch.GetStatus?id=0" => json(GEN2_STATUS),
        _ => missing(),
    }
}

/// A meter without a switch.
pub fn pm1(path: &str) -> Reply {
    match path {
        "/shelly" => json(&GEN2.replace("SNPL-00112EU", "SNPM-001PCEU16")),
        "/rpc/PM1.GetStatus?id=0" => json(GEN2_STATUS),
        _ => missing(),
    }
}

pub fn tasmota(path: &str) -> Reply {
    match path.split('&').next().unwrap_or_default() {
        "/cm?cmnd=Status%208" => json(TASMOTA),
        "/cm?cmnd=Status%202" => json(TASMOTA_FIRMWARE),
        "/cm?cmnd=Module" => json(TASMOTA_MODULE),
        _ => missing(),
    }
}
