//! What an ask offers beyond the one call.

use crate::approval::view::name_shown;
use crate::approval::width::{Variation, Width};

/// How many widths a rule may offer: more than anybody chooses between.
const MOST_OFFERS: usize = 8;

/// What an ask offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WidthOffer {
    /// The widths a reviewer may choose from. None is said: the one call alone.
    pub(crate) widths: Vec<Width>,
    /// What may be another in calls of one width.
    pub(crate) variation: Variation,
    /// Whether a call that a view does not show whole is refused at once.
    pub(crate) refuses_cut: bool,
}

/// The widths that all asks of a question offer: a reviewer chooses one of these.
pub(crate) fn offered_by_all<'o>(asks: impl IntoIterator<Item = &'o WidthOffer>) -> Vec<Width> {
    let mut asks = asks.into_iter();
    let Some(first) = asks.next() else { return Vec::new() };
    let mut all = if first.widths.is_empty() { vec![Width::CALL] } else { first.widths.clone() };
    asks.for_each(|other| all.retain(|width| other.has(*width)));
    all
}

/// What may be another where a yes to all asks of a question reaches several calls: what all of them let vary,
/// with all that any of them pins.
pub(crate) fn varied_by_all<'o>(
    asks: impl IntoIterator<Item = &'o WidthOffer>,
) -> Option<Variation> {
    let all = asks.into_iter().map(|offer| offer.variation.clone());
    all.reduce(|one, two| one.meet(&two)).filter(|all| !all.vary.is_empty())
}

impl WidthOffer {
    /// Whether a reviewer may choose this width.
    pub(crate) fn has(&self, width: Width) -> bool {
        if self.widths.is_empty() { width == Width::CALL } else { self.widths.contains(&width) }
    }

    /// What is wrong with it, and at which key; `is_per_task` of an approval of a scope.
    pub(super) fn fault(&self, is_per_task: bool) -> Option<(&'static str, String)> {
        let WidthOffer { widths, variation, refuses_cut } = self;
        if is_per_task && *self != WidthOffer::default() {
            let at = match () {
                () if !widths.is_empty() => "offer",
                () if !variation.vary.is_empty() => "vary",
                () if *refuses_cut => "cut",
                () => "same",
            };
            let problem = "an approval per task is of the scope that is shown: this belongs to `per = \"call\"`";
            return Some((at, problem.to_owned()));
        }
        if widths.len() > MOST_OFFERS {
            return Some(("offer", format!("it offers more than {MOST_OFFERS} widths")));
        }
        if let Some(fault) = widths.iter().find_map(|width| width.fault()) {
            return Some(("offer", fault));
        }
        let mut seen = widths.iter().enumerate();
        if let Some((_, width)) = seen.find(|(at, own)| widths.iter().take(*at).any(|w| w == *own))
        {
            return Some(("offer", format!("`{width}` stands there twice")));
        }
        variation.fault(widths)
    }

    /// How far a yes may reach, as people are shown it; nothing where it is the one call.
    pub(super) fn shown(&self) -> Vec<(&'static str, String)> {
        let WidthOffer { widths, variation, .. } = self;
        let mut shown = Vec::new();
        if widths.iter().any(|width| *width != Width::CALL) {
            let widths: Vec<String> = widths.iter().map(Width::to_string).collect();
            shown.push(("may reach", widths.join(", ")));
        }
        if !variation.vary.is_empty() {
            let named: Vec<String> = variation.vary.iter().map(|own| name_shown(own)).collect();
            shown.push(("lets vary", named.join(", ")));
        }
        let pins = variation.same.iter();
        let pins: Vec<String> =
            pins.map(|pin| format!("{} of {}", pin.part, name_shown(&pin.arg))).collect();
        if !pins.is_empty() {
            shown.push(("keeps the same", pins.join(", ")));
        }
        shown
    }
}
