//! What one scan asked, how long it took against the rates that it may ask at, and how much memory it held.

#![expect(clippy::float_arithmetic, reason = "figures of a measurement")]

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use leanlake::aws::connector::limits::default_pace;

use crate::aws::Asked;
use crate::support::World;

/// One scan.
pub struct Measured {
    wall: Duration,
    /// Most memory that the process held, in bytes; `None` where the system does not tell.
    memory: Option<u64>,
    asked: BTreeMap<String, Asked>,
    /// What the scan says of its collectors and of the operations that took longest.
    told: Vec<String>,
    /// Memory held after so many seconds, in bytes.
    held: Vec<(u64, u64)>,
}

impl Measured {
    /// Scans, and measures it.
    pub fn scan(world: &World) -> Self {
        Measured::of(world, &["scan", "-v"])
    }

    /// Runs a scan that ends well, and measures it.
    pub fn of(world: &World, arguments: &[&str]) -> Self {
        let began = Instant::now();
        let mut child = world.command(arguments).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let talk = [thread::spawn(move || read(stdout)), thread::spawn(move || read(stderr))];
        let (memory, held, code) = watch(&mut child, began);
        let wall = began.elapsed();
        let [stdout, stderr] = talk.map(|thread| thread.join().unwrap());
        assert_eq!(code, Some(0), "{stdout}\n{stderr}");
        let told = stderr.lines().filter(|line| line.ends_with(" s") || line.ends_with("at its rate"));
        let told = told.map(str::to_owned).collect();
        Measured { wall, memory, asked: world.aws.account().asked.clone(), told, held }
    }

    fn requests(&self, which: impl Fn(&str) -> bool) -> u64 {
        self.asked.iter().filter(|(operation, _)| which(operation)).map(|(_, asked)| asked.requests).sum()
    }

    /// Returns the seconds that the slowest operation takes at its rate: no scan can be faster.
    fn allowed(&self) -> f64 {
        self.asked.iter().map(|(operation, asked)| allowed(operation, asked.requests)).fold(0.0, f64::max)
    }

    /// Says which share of the first scan's requests this one needed.
    pub fn against(&self, first: &Measured, histories: &[&str]) -> String {
        let share = |which: &dyn Fn(&str) -> bool| {
            let (now, before) = (self.requests(which), first.requests(which));
            format!("{now} of {before} requests ({:.1} %)", 100.0 * count(now) / count(before.max(1)))
        };
        let is_history = |operation: &str| histories.contains(&operation);
        let is_run = |operation: &str| operation == "glue:GetJobRuns";
        format!(
            "second scan against the first: {}\n  histories: {}\n  job runs, a request for each job: {}\n  state: {}",
            share(&|_| true),
            share(&is_history),
            share(&is_run),
            share(&|operation| !is_history(operation) && !is_run(operation)),
        )
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wall, allowed_all) = (self.wall.as_secs_f64(), self.allowed());
        let throttled: u64 = self.asked.values().map(|asked| asked.throttled).sum();
        writeln!(f, "  {:46} {:>8} {:>9} {:>9} {:>6}", "operation", "requests", "allowed s", "took s", "share")?;
        for (operation, asked) in &self.asked {
            let (least, took) = (allowed(operation, asked.requests), (asked.last - asked.first).as_secs_f64());
            let share = if least > 1.0 { format!("{:.0} %", 100.0 * least / took.max(least)) } else { String::new() };
            writeln!(f, "  {operation:46} {:>8} {least:>9.1} {took:>9.1} {share:>6}", asked.requests)?;
        }
        writeln!(f, "  requests {}, throttled {throttled}", self.requests(|_| true))?;
        writeln!(
            f,
            "  wall {wall:.1} s, allowed {allowed_all:.1} s (the slowest operation at its rate): {:.0} % of the allowed rate",
            100.0 * allowed_all / wall
        )?;
        for line in &self.told {
            writeln!(f, "  {line}")?;
        }
        let held = self.held.iter().map(|(second, bytes)| format!("{second} s {}", bytes / 1_000_000));
        writeln!(f, "  MB held after: {}", held.collect::<Vec<_>>().join(", "))?;
        match self.memory {
            Some(bytes) => write!(f, "  peak memory {} MB", bytes / 1_000_000),
            None => write!(f, "  peak memory is not known here"),
        }
    }
}

/// Returns the seconds that so many requests take at the connector's pace for the operation, after its burst.
fn allowed(operation: &str, requests: u64) -> f64 {
    let pace = default_pace(operation);
    count(requests.saturating_sub(pace.burst.into())) * 60.0 / f64::from(pace.per_minute)
}

#[expect(clippy::cast_precision_loss, reason = "a number of requests")]
fn count(number: u64) -> f64 {
    number as f64
}

fn read(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How often the memory of a process is noted.
const NOTED: Duration = Duration::from_secs(20);

/// Waits for the end of a process and returns the most memory that it held, as `/proc` tells, what it held from time to
/// time, and its exit code.
fn watch(child: &mut Child, began: Instant) -> (Option<u64>, Vec<(u64, u64)>, Option<i32>) {
    let status = format!("/proc/{}/status", child.id());
    let (mut memory, mut held, mut next) = (None, Vec::new(), NOTED);
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        memory = bytes(&text, "VmHWM:").or(memory);
        if began.elapsed() >= next {
            next += NOTED;
            held.extend(bytes(&text, "VmRSS:").map(|bytes| (began.elapsed().as_secs(), bytes)));
        }
        if let Some(ended) = child.try_wait().unwrap() {
            return (memory, held, ended.code());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn bytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
