//! A gate before an S3: lets requests through, and holds one of them still, before or after it took effect.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// What a request does: to a lifecycle configuration, or to a journal that is kept in S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Look,
    Write,
    Record,
}

/// Whether the request that is held still took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Before,
    After,
}

/// The request that is held still: the n-th of its kind, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub kind: Kind,
    pub nth: usize,
    pub effect: Effect,
}

#[derive(Default)]
struct State {
    hold: Option<Hold>,
    looks: usize,
    writes: usize,
    records: usize,
    held: bool,
    let_go: bool,
}

pub struct Gate {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Gate {
    /// Returns a gate before `upstream` (`http://127.0.0.1:4566`).
    pub fn before(upstream: &str) -> Self {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, state) = (upstream.clone(), Arc::clone(&shared));
                thread::spawn(move || serve(client, &upstream, &state));
            }
        });
        Gate { address, state }
    }

    /// Returns `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Holds a request from now on; counting begins anew. `None` lets everything through.
    pub fn arm(&self, hold: Option<Hold>) {
        *lock(&self.state) = State { hold, ..State::default() };
    }

    /// Lets the request that is held go on its way, and delivers the answer.
    pub fn let_go(&self) {
        let mut state = lock(&self.state);
        (state.held, state.let_go) = (false, true);
    }

    /// Returns true when the request is held still.
    pub fn holds(&self) -> bool {
        lock(&self.state).held
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One request for each connection: the answer says that it closes.
fn serve(mut client: TcpStream, upstream: &str, state: &Mutex<State>) {
    let Some(request) = read_request(&mut client) else { return };
    let hold = count(&request, state);
    let answer = (hold == Some(Effect::After)).then(|| forward(&request, upstream));
    if hold.is_some() && !hold_still(state) {
        return;
    }
    let _ = client.write_all(&answer.unwrap_or_else(|| forward(&request, upstream)));
    let _ = client.shutdown(Shutdown::Both);
}

fn count(request: &[u8], state: &Mutex<State>) -> Option<Effect> {
    let head = String::from_utf8_lossy(&request[..request.len().min(2048)]);
    let line = head.lines().next().unwrap_or_default();
    let kind = kind(line)?;
    let mut state = lock(state);
    let counted = match kind {
        Kind::Look => &mut state.looks,
        Kind::Write => &mut state.writes,
        Kind::Record => &mut state.records,
    };
    *counted += 1;
    let nth = *counted;
    state.hold.filter(|hold| (hold.kind, hold.nth) == (kind, nth)).map(|hold| hold.effect)
}

fn kind(line: &str) -> Option<Kind> {
    let target = line.split(' ').nth(1)?;
    if target.contains("?lifecycle") {
        return Some(if line.starts_with("GET") { Kind::Look } else { Kind::Write });
    }
    let (_, file) = target.split('?').next()?.split_once("/runs/")?.1.split_once('/')?;
    let number = file.strip_suffix(".json")?;
    (line.starts_with("PUT") && number.bytes().all(|b| b.is_ascii_digit())).then_some(Kind::Record)
}

/// Holds until somebody lets go; returns false when the request is not to be answered.
fn hold_still(state: &Mutex<State>) -> bool {
    lock(state).held = true;
    while lock(state).held {
        thread::sleep(Duration::from_millis(5));
    }
    lock(state).let_go
}

fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if bytes.len() >= head + 4 + length.unwrap_or(0) {
                return Some(bytes);
            }
        }
        match client.read(&mut chunk) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&chunk[..n]),
            _ => return None,
        }
    }
}

/// Sends a whole request and returns the whole answer.
pub fn forward(request: &[u8], upstream: &str) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream).unwrap();
    let line = request.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    server.write_all(&request[..line]).unwrap();
    server.write_all(b"connection: close\r\n").unwrap();
    server.write_all(&request[line..]).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}
