//! HTTP client for a plug on the local network. It accepts only small and timely JSON answers, and its errors never contain the plug's
//! address, name or password.

use super::json;
use crate::energy::EnergyError;
use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::time::Duration;
use ureq::http::{StatusCode, Uri, header};
use ureq::{Agent, Body};

/// Timeout, from the DNS lookup to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum size of an answer; plugs send one or two kilobytes.
const MAX_BYTES: u64 = 64 << 10;

/// How a plug takes a name and a password.
pub(super) enum Login {
    /// HTTP basic authentication.
    Basic,
    /// `user` and `password` in the query; the plug answers wrong ones with status 200 and a warning.
    Query,
}

/// A plug.
pub(super) struct Http {
    agent: Agent,
    /// Scheme, host and port, without credentials and without a trailing slash.
    base: String,
    /// Header and query suffix with the credentials, if there are any.
    header: Option<String>,
    query: String,
    /// Its name in errors: `Shelly plug`.
    plug: &'static str,
}

/// Why there is no valid answer.
pub(super) enum Refusal {
    Unreachable,
    Late,
    BrokenOff,
    Oversized,
    Garbage,
    Digest,
    Password,
    Status(StatusCode),
}

impl Http {
    /// Parses the address, without a request.
    pub fn new(url: &str, login: Login, plug: &'static str) -> Result<Http, EnergyError> {
        let wrong = |why: &str| {
            EnergyError(format!(
                "the {plug}'s address {why}; write http://HOST or http://NAME:PASSWORD@HOST, special characters as %XX"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong("is not a web address"))?;
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?.as_str();
        if uri.scheme_str() != Some("http") {
            return Err(wrong("is not one of plain http, which plugs speak"));
        }
        let credentials = authority.rsplit_once('@');
        let host = credentials.map_or(authority, |(_, host)| host);
        let (mut header, mut query) = (None, String::new());
        if let Some((user, _)) = credentials {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let (name, password) = (plain(name), plain(password));
            match login {
                Login::Basic => {
                    let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
                    header = Some(format!("Basic {pair}"));
                }
                Login::Query => {
                    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                    query = format!("&user={}&password={}", encoded(&name), encoded(&password));
                }
            }
        }
        // No proxy or redirect may receive the password. Plugs close idle connections at any time, so none is reused.
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .build()
            .new_agent();
        let base = format!("http://{host}{}", uri.path().trim_end_matches('/'));
        Ok(Http { agent, base, header, query, plug })
    }

    /// Sends one request; the error is for a user.
    pub fn ask(&self, path: &str) -> Result<Value, EnergyError> {
        self.get(path).map_err(|refusal| self.explain(refusal))
    }

    /// Sends one request.
    pub fn get(&self, path: &str) -> Result<Value, Refusal> {
        let mut request = self.agent.get(format!("{}{path}{}", self.base, self.query));
        if let Some(header) = &self.header {
            request = request.header(header::AUTHORIZATION, header);
        }
        let mut response = request.call().map_err(Refusal::of)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                let wants = response.headers().get(header::WWW_AUTHENTICATE);
                let wants = wants.and_then(|wants| wants.to_str().ok()).unwrap_or_default();
                let digest = wants.trim_start().to_ascii_lowercase().starts_with("digest");
                return Err(if digest { Refusal::Digest } else { Refusal::Password });
            }
            status => return Err(Refusal::Status(status)),
        }
        let answer = json::parse(&body(response.body_mut())?).ok_or(Refusal::Garbage)?;
        if answer.get("WARNING").is_some() {
            return Err(Refusal::Password);
        }
        Ok(answer)
    }

    /// The error for a user: one line that says what to check.
    pub fn explain(&self, refusal: Refusal) -> EnergyError {
        let plug = self.plug;
        let given = self.header.is_some() || !self.query.is_empty();
        EnergyError(match refusal {
            Refusal::Unreachable => format!(
                "the {plug} cannot be reached; check its address, its power and that it is in this network"
            ),
            Refusal::Late => format!(
                "the {plug} did not answer within {} s; check its address and its radio reception",
                TIMEOUT.as_secs()
            ),
            Refusal::BrokenOff => {
                format!(
                    "the {plug} broke off its answer; check its radio reception, or start it anew"
                )
            }
            Refusal::Oversized => format!(
                "the {plug}'s answer is over {} KiB; check that the address is a {plug}'s",
                MAX_BYTES >> 10
            ),
            Refusal::Garbage => {
                format!("the {plug}'s answer is no JSON; check that the address is a {plug}'s")
            }
            Refusal::Digest => format!(
                "the {plug} asks for digest authentication, which rigbench does not speak; \
                 switch its authentication off while you measure"
            ),
            Refusal::Password if given => {
                format!("the {plug} refuses this name and password; check them in its settings")
            }
            Refusal::Password => {
                format!("the {plug} asks for a password; write http://NAME:PASSWORD@HOST")
            }
            Refusal::Status(status) => format!(
                "the {plug} answers with HTTP status {}; check that the address is a {plug}'s and its firmware is current",
                status.as_u16()
            ),
        })
    }
}

impl Refusal {
    fn of(error: ureq::Error) -> Refusal {
        use std::io::ErrorKind as K;
        use ureq::Error as E;
        match error {
            E::Timeout(_) => Refusal::Late,
            E::BodyExceedsLimit(_) | E::LargeResponseHeader(..) => Refusal::Oversized,
            E::Protocol(_) => Refusal::Garbage,
            E::Io(error) => match error.kind() {
                K::TimedOut | K::WouldBlock => Refusal::Late,
                K::UnexpectedEof | K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe => {
                    Refusal::BrokenOff
                }
                _ => Refusal::Unreachable,
            },
            _ => Refusal::Unreachable,
        }
    }
}

fn body(body: &mut Body) -> Result<Vec<u8>, Refusal> {
    body.with_config().limit(MAX_BYTES).read_to_vec().map_err(|error| match Refusal::of(error) {
        // The plug has answered, so the connection broke during the answer.
        Refusal::Unreachable | Refusal::Garbage => Refusal::BrokenOff,
        refusal => refusal,
    })
}
