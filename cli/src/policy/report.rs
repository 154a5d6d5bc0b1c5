//! What is said of each file: a line for people, or an object for programs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass::Policy;
use hallpass::policy::PolicyError;
use hallpass::value::{Object, Value};

use super::file::{Unloaded, load, named};
use crate::exit::Exit;

/// Which policies, and for whom what is found is written.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// The policies: TOML, or JSON where a name ends in `.json`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
}

/// What was found of one policy that loads.
pub(super) struct Finding {
    pub(super) exit: Exit,
    /// For people, a line each, without the file's name.
    pub(super) lines: Vec<String>,
    /// For programs.
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Files {
    /// Looks at each policy that loads, and reports on all of them. The worst of the files is the exit code.
    pub(super) fn report(self, look: impl Fn(&Policy) -> Finding) -> Exit {
        let mut out = io::stdout().lock();
        let mut worst = Exit::Fine;
        for file in &self.files {
            let exit = match load(file) {
                Ok(policy) => {
                    let Finding { exit, lines, fields } = look(&policy);
                    Exit::of_report(self.say(&mut out, file, &lines, fields).map(|()| exit))
                }
                Err(Unloaded::Refused(error)) => {
                    let fields = vec![("error", error_value(&error))];
                    let said = self.say(&mut out, file, &[error.to_string()], fields);
                    Exit::of_report(said.map(|()| Exit::Findings))
                }
                Err(Unloaded::Unreadable(error)) => {
                    Exit::unable(format_args!("{}: can't be read: {error}", named(file)))
                }
            };
            worst = worst.max(exit);
        }
        worst
    }

    fn say(
        &self,
        out: &mut impl Write,
        file: &Path,
        lines: &[String],
        fields: Vec<(&'static str, Value)>,
    ) -> io::Result<()> {
        if self.json {
            let name = ("file", Value::from(file.display().to_string()));
            return writeln!(out, "{}", object([name].into_iter().chain(fields)));
        }
        let name = named(file);
        lines.iter().try_for_each(|line| writeln!(out, "{name}: {line}"))
    }
}

/// An error as programs read it; what does not apply is absent.
fn error_value(error: &PolicyError) -> Value {
    let (line, column) = error.position().unzip();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Value::from);
    let number = |number: Option<usize>| number.map(|number| Value::from(number as u64));
    let all = [
        ("line", number(line)),
        ("column", number(column)),
        ("rule", text(error.rule())),
        ("tool", text(error.tool())),
        ("at", text(Some(error.at()))),
        ("problem", text(Some(error.problem()))),
    ];
    object(all.into_iter().filter_map(|(key, value)| Some((key, value?))))
}

/// An object with these keys, which are written in this program once each.
pub(super) fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut object = Object::new();
    for (key, value) in fields {
        let _ = object.insert(key, value);
    }
    Value::Object(object)
}
