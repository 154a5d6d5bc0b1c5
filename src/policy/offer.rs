//! What an ask offers beyond the one call.

use crate::approval::width::{Variation, Width};

/// How many widths a rule may offer: more than anybody chooses between.
const MOST_OFFERS: usize = 8;

/// What an ask offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The widths a reviewer may choose from. None is said: the one call alone.
    pub(crate) widths: Vec<Width>,
    /// What may be another in calls of one width.
    pub(crate) variation: Variation,
    /// Whether a call that a view does not show whole is refused at once.
    pub(crate) refuses_cut: bool,
}

impl Offer {
    /// Whether a reviewer may choose this width.
    pub(crate) fn has(&self, width: Width) -> bool {
        if self.widths.is_empty() { width == Width::CALL } else { self.widths.contains(&width) }
    }

    /// What is wrong with it, and at which key; `is_per_task` of an approval of a scope.
    pub(super) fn fault(&self, is_per_task: bool) -> Option<(&'static str, String)> {
        let Offer { widths, variation, refuses_cut } = self;
        if is_per_task && *self != Offer::default() {
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
}
