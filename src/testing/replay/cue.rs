//! How a provider of a trace is to fail.

use std::time::Duration;

use crate::testing::{Mint, Verify, Withdraw};

use super::fields::{Fields, Misread, length};

/// The most lines' worth of one cue.
const MOST_TIMES: u64 = 1_000_000;

pub(crate) const CUE: &[&str] =
    &["credential", "mint", "withdraw", "verify", "by", "times", "recover"];

/// What a provider is going to do.
pub(crate) struct Cue<'v> {
    pub(super) credential: &'v str,
    pub(super) does: Does,
    pub(super) times: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Does {
    Mint(Mint),
    Withdraw(Withdraw),
    Verify(Verify),
    Recover,
}

impl<'v> Cue<'v> {
    /// # Errors
    /// [`Misread`] if it says not exactly one thing, or one that nothing does.
    pub(crate) fn read(fields: &Fields<'v>) -> Result<Self, Misread> {
        let by = fields.text_if("by")?.map(|span| length("by", span)).transpose()?;
        let span =
            || by.ok_or_else(|| Misread("`credential` has no `by`, expected how long".to_owned()));
        let recovers = fields.flag("recover")?;
        let word = match recovers {
            true => "recover",
            false => fields.one_text(&["mint", "withdraw", "verify"])?.1,
        };
        let mints = [
            ("fails", Mint::Fails),
            ("loses", Mint::Loses),
            ("lands_late", Mint::LandsLate),
            ("repeats", Mint::Repeats),
            ("shows", Mint::Shows),
            ("outlives", Mint::Outlives(Duration::ZERO)),
            ("takes", Mint::Takes(Duration::ZERO)),
        ];
        let withdrawals = [
            ("fails", Withdraw::Fails),
            ("pretends", Withdraw::Pretends),
            ("refuses", Withdraw::Refuses),
        ];
        let verifications = [("unknown", Verify::Unknown)];
        let said = (
            fields.word("mint", &mints)?,
            fields.word("withdraw", &withdrawals)?,
            fields.word("verify", &verifications)?,
        );
        let does = match said {
            (None, None, None) => Does::Recover,
            _ if recovers => return Err(Misread("`recover` stands alone".to_owned())),
            (Some(Mint::Outlives(_)), None, None) => Does::Mint(Mint::Outlives(span()?)),
            (Some(Mint::Takes(_)), None, None) => Does::Mint(Mint::Takes(span()?)),
            (Some(mint), None, None) => Does::Mint(mint),
            (None, Some(withdraw), None) => Does::Withdraw(withdraw),
            (None, None, Some(verify)) => Does::Verify(verify),
            // One of them alone was there.
            _ => return Err(Misread("expected one of `mint`, `withdraw` and `verify`".to_owned())),
        };
        if by.is_some() && !matches!(does, Does::Mint(Mint::Outlives(_) | Mint::Takes(_))) {
            return Err(Misread(format!(
                "`by` belongs to `outlives` and `takes`, not to `{word}`"
            )));
        }
        let times = fields.count_if("times", 1)?;
        if times.is_some() && matches!(does, Does::Recover) {
            return Err(Misread("`times` says nothing of `recover`".to_owned()));
        }
        let times = times.unwrap_or(1);
        let times = usize::try_from(times).ok().filter(|_| times <= MOST_TIMES);
        let times = times.ok_or_else(|| Misread(format!("`times` is more than {MOST_TIMES}")))?;
        Ok(Cue { credential: fields.text("credential")?, does, times })
    }
}
