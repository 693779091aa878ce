//! The socket: one thread, one runtime, until the value is dropped.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::{Account, Answer, Asked, Exchange, Request, Trouble, fault, lock};

pub struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(account: Arc<Mutex<Account>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! { () = accept(listener, account) => {}, _ = stopped => {} }
            });
        });
        Server { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, account: Arc<Mutex<Account>>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let account = Arc::clone(&account);
        tokio::spawn(async move {
            let Ok((stream, twin)) = twins(stream) else { return };
            let serve = service_fn(move |request| respond(Arc::clone(&account), request, Arc::clone(&twin)));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
        });
    }
}

/// Returns the connection twice: once to serve it, once to reset it.
fn twins(stream: TcpStream) -> io::Result<(TcpStream, Arc<TcpStream>)> {
    let stream = stream.into_std()?;
    let twin = TcpStream::from_std(stream.try_clone()?)?;
    Ok((TcpStream::from_std(stream)?, Arc::new(twin)))
}

type Response = hyper::Response<BoxBody<Bytes, io::Error>>;

async fn respond(
    account: Arc<Mutex<Account>>,
    request: hyper::Request<Incoming>,
    connection: Arc<TcpStream>,
) -> io::Result<Response> {
    let method = request.method().to_string();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<_, _> = request.headers().iter().map(|(name, v)| (name.to_string(), text(v))).collect();
    let body = request.into_body().collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    let answer = answer(&account, &Request::read(&method, &target, headers, body));
    let latency = lock(&account).rates.latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match answer {
        Said::Answer(answer) => Ok(on_the_wire(answer)),
        Said::Nothing => pending().await,
        Said::Reset => {
            connection.set_zero_linger()?;
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    }
}

/// What comes of a request.
enum Said {
    Answer(Answer),
    Nothing,
    Reset,
}

fn answer(account: &Mutex<Account>, request: &Request) -> Said {
    let (mut account, now) = (lock(account), Instant::now());
    let admitted = account.rates.admit(request, now);
    let trouble = if admitted { fault::meet(&mut account.faults, request) } else { Some(Trouble::Throttled) };
    let who = format!("arn:aws:iam::{}:user/reader", account.id);
    let mut answer = match trouble {
        _ if request.key_id.is_empty() && request.service() != "pricing" => {
            request.refuse(403, "MissingAuthenticationToken", "no signature")
        }
        Some(Trouble::Stalled | Trouble::Reset) => Answer::new(0, "", ""),
        Some(Trouble::Denied) => denied(request, &who),
        Some(Trouble::Throttled) => throttled(request),
        Some(Trouble::Expired) => expired(request),
        Some(Trouble::Unknown) => unknown(request),
        Some(Trouble::Broken) => request.refuse(500, "InternalFailure", "we encountered an internal error"),
        Some(Trouble::Garbled) => Answer::new(200, "text/html", "<html><body>login</body></html>"),
        _ => account.answer(request),
    };
    if trouble == Some(Trouble::LostAnswer) {
        answer.status = 500;
    }
    answer.headers.extend(account.date.iter().map(|date| ("date".to_owned(), date.clone())));
    answer.cut_short = trouble == Some(Trouble::CutShort);
    if trouble == Some(Trouble::Halved) {
        answer.body.truncate(answer.body.len() / 2);
    }
    if let Some(Trouble::Dripping(pause)) = trouble {
        answer.drip = Some(pause);
    }
    let asked = account.asked.entry(request.operation.clone()).or_insert_with(|| Asked::none(now));
    asked.add(trouble == Some(Trouble::Throttled), now);
    if account.keep_calls {
        account.calls.push(request.logged(answer.status));
    }
    if account.keep_exchanges {
        account.exchanges.push(Exchange::of(request, &answer));
    }
    match trouble {
        Some(Trouble::Stalled | Trouble::StalledAfter) => Said::Nothing,
        Some(Trouble::Reset) => Said::Reset,
        _ => Said::Answer(answer),
    }
}

fn denied(request: &Request, who: &str) -> Answer {
    let (status, code) = match request.service() {
        "s3" | "s3control" | "sts" | "redshift" | "cloudwatch" => (403, "AccessDenied"),
        "ec2" => (403, "UnauthorizedOperation"),
        _ => (400, "AccessDeniedException"),
    };
    let message = format!(
        "User: {who} is not authorized to perform: {} because no identity-based policy allows it",
        request.operation
    );
    request.refuse(status, code, &message)
}

fn throttled(request: &Request) -> Answer {
    match request.service() {
        "s3" => request.refuse(503, "SlowDown", "Please reduce your request rate."),
        "sts" | "redshift" | "cloudwatch" => request.refuse(400, "Throttling", "Rate exceeded"),
        "ce" => request.refuse(400, "LimitExceededException", "Rate exceeded"),
        "ec2" => request.refuse(503, "RequestLimitExceeded", "Request limit exceeded."),
        _ => request.refuse(400, "ThrottlingException", "Rate exceeded"),
    }
}

fn expired(request: &Request) -> Answer {
    let message = "The security token included in the request is expired";
    match request.service() {
        "s3" => request.refuse(400, "ExpiredToken", "The provided token has expired."),
        "sts" | "redshift" | "cloudwatch" => request.refuse(403, "ExpiredToken", message),
        "ec2" => request.refuse(400, "RequestExpired", "Request has expired."),
        _ => request.refuse(400, "ExpiredTokenException", message),
    }
}

fn unknown(request: &Request) -> Answer {
    let message = "The security token included in the request is invalid.";
    match request.service() {
        "s3" => request.refuse(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist."),
        "sts" | "redshift" | "cloudwatch" => request.refuse(403, "InvalidClientTokenId", message),
        "ec2" => request.refuse(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        _ => request.refuse(400, "UnrecognizedClientException", message),
    }
}

fn on_the_wire(answer: Answer) -> Response {
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.header("x-amzn-requestid", "r-1").body(body(answer)).unwrap()
}

fn body(answer: Answer) -> BoxBody<Bytes, io::Error> {
    let whole = Bytes::from(answer.body);
    if let Some(pause) = answer.drip {
        return dripping(whole, pause);
    }
    if !answer.cut_short {
        return Full::new(whole).map_err(|never| match never {}).boxed();
    }
    let half = whole.slice(..whole.len() / 2);
    let pieces = [Ok(Frame::data(half)), Err(io::Error::other("the connection is cut"))];
    StreamBody::new(futures::stream::iter(pieces)).boxed()
}

fn dripping(whole: Bytes, pause: Duration) -> BoxBody<Bytes, io::Error> {
    let drops = futures::stream::unfold(whole, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let drop = left.split_to(1);
        Some((Ok(Frame::data(drop)), left))
    });
    BodyExt::boxed(StreamBody::new(drops))
}
