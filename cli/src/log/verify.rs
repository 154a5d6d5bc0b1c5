//! `hallpass log verify`: three verdicts, kept apart.

use std::io::{self, Write};

use clap::Args;
use hallpass::audit::{Examination, OpenError};
use serde_json::{Value, json};

use super::public::{PublicKeys, PublicRead};
use super::source::{Read, Source};
use super::style::Style;
use crate::exit::Exit;
use crate::json_line::write_json;

/// How many numbers and faults are told one by one to a person.
const TOLD: usize = 20;

/// Which log is looked at.
#[derive(Debug, Args)]
#[command(after_help = "\
Three verdicts: intact, every record is the one that was written; complete, none is missing at the end, which only an
anchor or a checkpoint kept elsewhere shows; lawful, access was had as it was given, and approvals were good. With the
public key of the log's checkpoints and without the log's own, intact is what a checkpoint has seen, and what is lawful is
not looked at. A folder of logs, as the nodes of a fleet write one each, is looked at log by log; the worst of them counts. The exit code is 0 if the log is intact and lawful, and 2 if neither key shows anything.")]
pub(super) struct Verify {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    public: PublicKeys,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(self) -> Exit {
        match self.source.several() {
            Err(problem) => Exit::unable(problem),
            Ok(None) => self.run_one(None),
            Ok(Some(sources)) => self.run_all(sources),
        }
    }

    /// Looks at each of several logs.
    fn run_all(self, sources: Vec<Source>) -> Exit {
        let (count, mut worst) = (sources.len(), Exit::Fine);
        for source in sources {
            let name = source.name();
            let one = Verify { source, public: self.public.clone(), json: self.json };
            worst = worst.max(one.run_one(Some(&name)));
        }
        if self.json {
            return worst;
        }
        let doubt = Style::of_output().doubtful("fleet     not known to be complete");
        let mut out = io::stdout().lock();
        let said = writeln!(
            out,
            "{doubt}: {count} logs, and which nodes there were only the fleet's store says"
        );
        Exit::of_report(said.map(|()| worst))
    }

    /// Looks at one log, which is told by name if it is one of several.
    fn run_one(self, name: Option<&str>) -> Exit {
        let mut records = 0;
        let read = match self.source.read(|_| records += 1) {
            Ok(read) => read,
            Err(problem) => return Exit::unable(problem),
        };
        let public = match self.public.examine(&self.source.folder()) {
            Ok(public) => public,
            Err(problem) => return Exit::unable(problem),
        };
        let compared = public.as_ref().map(PublicRead::is_intact);
        let exit = match &read {
            Read::Verified(examined) if examined.unlawful.count() == 0 => Exit::Fine,
            Read::Verified(_) | Read::Broken(_) => Exit::Findings,
            Read::Unverified if compared == Some(Some(true)) => Exit::Fine,
            Read::Unverified => Exit::Unable,
        };
        let exit = match compared {
            Some(Some(false)) => Exit::Findings,
            // The key was given, so that its answer was wanted.
            Some(None) => exit.max(Exit::Unable),
            _ => exit,
        };
        let mut out = io::stdout().lock();
        if let (Some(name), false) = (name, self.json) {
            // What can't be written is noticed below.
            let _ = writeln!(out, "log of    {}", name.escape_debug());
        }
        let said = match (self.json, &public) {
            (true, public) => {
                let mut object = self.object(&read, records);
                if let (Some(public), Value::Object(members)) = (public, &mut object) {
                    members.insert("public".to_owned(), public.object());
                }
                if let (Some(name), Value::Object(members)) = (name, &mut object) {
                    members.insert("folder".to_owned(), name.into());
                }
                write_json(&mut out, &object)
            }
            (false, None) => self.tell(&mut out, &read, records),
            (false, Some(public)) => {
                let of_key = match read {
                    Read::Unverified => Ok(()),
                    _ => self.tell(&mut out, &read, records),
                };
                of_key.and_then(|()| public.tell(&mut out, Style::of_output(), &self.public))
            }
        };
        Exit::of_report(said.map(|()| exit))
    }

    fn tell(&self, out: &mut impl Write, read: &Read, records: u64) -> io::Result<()> {
        let style = Style::of_output();
        let examined = match read {
            Read::Verified(examined) => examined,
            Read::Unverified => {
                let doubt = style.doubtful("intact    not known");
                writeln!(out, "{doubt}: no key was given (--key-file)")?;
                return writeln!(
                    out,
                    "records   {records}, in their order, and none between them is missing"
                );
            }
            Read::Broken(error) => {
                writeln!(out, "{}: {error}", style.bad("intact    NO"))?;
                return writeln!(out, "records   {records} before that are as they were written");
            }
        };
        let verified = &examined.verification;
        let (seq, tag) = (verified.anchor.seq, verified.anchor.tag);
        writeln!(
            out,
            "{}: {records} records, each as it was written",
            style.good("intact    yes")
        )?;
        match self.source.anchor() {
            Some(anchor) => {
                let complete = style.good("complete  yes");
                writeln!(
                    out,
                    "{complete}: up to record {}, which its anchor has seen",
                    anchor.seq
                )?;
            }
            None => {
                let doubt = style.doubtful("complete  not known");
                writeln!(
                    out,
                    "{doubt}: no anchor was given, so what was cut off the end is not missed"
                )?;
            }
        }
        tell_lawful(out, style, examined)?;
        if let Ok((issuer, audience)) = self.source.names() {
            writeln!(out, "log       of issuer {issuer:?}, audience {audience:?}")?;
        }
        if let Some(torn) = examined.resumption.torn() {
            writeln!(out, "torn      {torn} bytes of an incomplete line stand at the end")?;
        }
        let open = &verified.without_outcome;
        if !open.is_empty() {
            let told: Vec<_> = open.iter().take(TOLD).map(|seq| format!("#{seq}")).collect();
            let more = if open.len() > TOLD { ", …" } else { "" };
            writeln!(
                out,
                "open      {} permits without an outcome: {}{more}",
                open.len(),
                told.join(", ")
            )?;
        }
        tell_unsettled(out, &verified.unsettled)?;
        writeln!(out, "anchor    {seq}:{tag}")
    }

    fn object(&self, read: &Read, records: u64) -> Value {
        let examined = match read {
            Read::Verified(examined) => examined,
            Read::Unverified => {
                return json!({ "intact": null, "complete": null, "lawful": null, "records": records });
            }
            Read::Broken(error) => {
                let seq = error.fault().map(hallpass::audit::Fault::seq);
                return json!({
                    "intact": false, "complete": null, "lawful": null, "records": records,
                    "fault": error.to_string(), "seq": seq, "file": file_of(error),
                });
            }
        };
        let verified = &examined.verification;
        let unlawful = examined.unlawful.faults().iter();
        let unlawful = unlawful.map(|own| json!({ "seq": own.seq(), "fault": own.to_string() }));
        let names = self.source.names().ok();
        json!({
            "intact": true,
            "complete": self.source.anchor().map(|anchor| json!({ "up_to": anchor.seq })),
            "lawful": examined.unlawful.count() == 0,
            "records": records,
            "seq": verified.anchor.seq,
            "tag": verified.anchor.tag.to_string(),
            "log": verified.log.map(|log| log.to_string()),
            "key": verified.key.map(|key| key.to_string()),
            "issuer": names.as_ref().map(|(issuer, _)| issuer),
            "audience": names.as_ref().map(|(_, audience)| audience),
            "unlawful": unlawful.collect::<Vec<_>>(),
            "unlawful_count": examined.unlawful.count(),
            "without_outcome": verified.without_outcome,
            "credentials": verified.credentials,
            "unsettled": verified.unsettled,
            "torn": examined.resumption.torn(),
        })
    }
}

/// Names the tasks that have ended and of which something is left.
fn tell_unsettled(out: &mut impl Write, tasks: &[u64]) -> io::Result<()> {
    if tasks.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = tasks.iter().take(TOLD).map(u64::to_string).collect();
    let more = if tasks.len() > TOLD { ", …" } else { "" };
    let (count, told) = (tasks.len(), told.join(", "));
    writeln!(out, "unsettled {count} ended tasks of which something is left: {told}{more}")
}

fn tell_lawful(out: &mut impl Write, style: Style, examined: &Examination) -> io::Result<()> {
    let count = examined.unlawful.count();
    if count == 0 {
        let lawful = style.good("lawful    yes");
        return writeln!(
            out,
            "{lawful}: grants, permits, approvals and outcomes are as they may be"
        );
    }
    writeln!(out, "{}: {count} records say what must not have been", style.bad("lawful    NO"))?;
    for fault in examined.unlawful.faults().iter().take(TOLD) {
        writeln!(out, "          {fault}")?;
    }
    match count > TOLD as u64 {
        true => writeln!(out, "          …"),
        false => Ok(()),
    }
}

fn file_of(error: &OpenError) -> Option<&str> {
    match error {
        OpenError::Line { file, .. } | OpenError::Fault { file, .. } => Some(file),
        OpenError::Missing { file } => Some(file),
        _ => None,
    }
}
