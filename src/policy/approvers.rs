//! Who may answer an ask, in words.

use super::approval::{Line, Reviewers};
use super::rule::Rule;

impl Rule {
    /// Who has to agree before this ask lets a permit through, in words for people; nothing of a rule that asks no one.
    ///
    /// ```
    /// use hallpass::policy::{ApprovalTerms, Per, Reviewers, Rule};
    /// use hallpass::scope::has_any;
    ///
    /// let owners = Reviewers::in_groups(has_any(["owners"])).count(2);
    /// let rule = Rule::ask("exports").tool("data.export");
    /// let rule = rule.approval(ApprovalTerms::per(Per::Call).review(owners).confirm());
    /// let words = r#"2 with groups {"has_any":["owners"]}, and the human that is acted for"#;
    /// assert_eq!(rule.approvers().as_deref(), Some(words));
    /// ```
    pub fn approvers(&self) -> Option<String> {
        let terms = self.approval.as_ref()?;
        let confirms = terms.confirm.then(|| "the human that is acted for".to_owned());
        let all: Vec<String> = terms.review.iter().map(in_words).chain(confirms).collect();
        Some(all.join(", and "))
    }
}

fn in_words(reviewers: &Reviewers) -> String {
    let several = |lines: &[Reviewers], word: &str| {
        let lines: Vec<String> = lines.iter().map(in_words).collect();
        format!("{word} ({})", lines.join("; "))
    };
    match &reviewers.0 {
        Line::All(lines) => several(lines, "all of"),
        Line::Any(lines) => several(lines, "any of"),
        Line::People { conditions, count } => {
            let said = conditions.iter().map(|own| {
                let fact = own.fact.to_string();
                format!("{} {}", fact.strip_prefix("who.").unwrap_or(&fact), own.constraint)
            });
            format!("{count} with {}", said.collect::<Vec<_>>().join(" and "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{ApprovalTerms, Per};
    use crate::scope::{eq, has_any};

    #[test]
    fn lines_within_lines_are_told_as_they_count() {
        let finance = Reviewers::in_groups(has_any(["finance"])).attr("site", eq("zrh")).count(2);
        let either = Reviewers::any([finance, Reviewers::with_id(eq("cfo"))]);
        let rule = Rule::ask("r").tool("t").approval(ApprovalTerms::per(Per::Call).review(either));
        let words = r#"any of (2 with groups {"has_any":["finance"]} and attrs.site {"eq":"zrh"}; 1 with id {"eq":"cfo"})"#;
        assert_eq!(rule.approvers().as_deref(), Some(words));
        assert_eq!(Rule::permit("r").tool("t").approvers(), None);
    }
}
