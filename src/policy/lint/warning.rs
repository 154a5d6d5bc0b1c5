//! What lint finds: a kind, a rule, and what may have been meant.

use std::fmt;

/// Something a policy says that was probably not meant. The policy is in force nevertheless, unless
/// it was loaded strictly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub(super) code: WarningCode,
    pub(super) rule: Box<str>,
    pub(super) at: Box<str>,
    pub(super) message: Box<str>,
}

/// The kind of a [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// The rule's validity is over: it never applies again.
    Ended,
    /// The rule's validity has not begun.
    NotYetValid,
    /// Somebody should have looked at the rule by now.
    ReviewOverdue,
    /// A forbid without conditions refuses everything that the permit or ask speaks of.
    Shadowed,
    /// Another rule says the same.
    Duplicate,
    /// The rule names a tool that the catalogue does not have.
    UnknownTool,
    /// The rule names a label that no tool of the catalogue has.
    UnknownLabel,
    /// A forbid or an ask that looks at the resource without naming a tool acts on every call without
    /// one, since there its condition is unknown.
    ActsWithoutResource,
    /// A permit for every tool with any arguments.
    PermitsEverything,
    /// A text with a `*` where texts are taken as they are written: a forbid of it forbids that text
    /// and no other.
    PatternAsText,
    /// A text with a placeholder (`${…}`, `{{…}}`, `$HOME`): nothing is put in for it.
    Template,
    /// The rule speaks of a kind of identity that does not exist.
    UnknownKind,
    /// The rule looks at an attribute that no context may state.
    NeverStated,
    /// A permit bounds a number from above alone: it may be any negative one.
    OpenBelow,
    /// `prefix`, `suffix` or `contains` stands alone on an address: the rest of it may lead elsewhere.
    PartOfAddress,
    /// A pattern of paths on an argument without the type `path`, which comes in any spelling.
    UntypedPath,
    /// A glob such as `/data/**`, which does not match `/data`, where the rule says nothing else of it.
    FolderLeftOut,
    /// A beginning of a path or of what the question states, behind which a longer name may go on.
    OpenPrefix,
    /// The name of an argument with a dot in it, which is no way into an object.
    DottedName,
    /// A depth of delegation where no permit lets anything be delegated.
    NeverDelegated,
    /// A bare list: the argument or attribute must be exactly that list.
    BareList,
    /// A guard on an argument that no permit of its tools lets be there.
    UnnamedArgument,
    /// A guard of which no permit leaves anything to act on.
    NothingWithheld,
    /// A budget on an argument that no call of the permit has as a number: each is denied.
    BudgetOfNothing,
    /// A length of time past the ceiling of tasks, which cuts it.
    PastCeiling,
    /// A comparison with another part of the question that no question meets, or that every one does.
    NeverSame,
    /// A name with letters that look like those of another script.
    LooksAlike,
    /// A permit of a sink constrains only arguments that a call may leave out.
    OptionalOnly,
    /// A permit lets an argument that may be left out be anything, and covers no call without it.
    OptionalNamed,
    /// A permit neither names nor lets be there what every call of a tool has by default, and covers none of it.
    DefaultUnnamed,
    /// No question can be all that the rule says.
    Dead,
    /// Another rule does all that this one does.
    Covered,
    /// No call that a permit gives is one that the ask speaks of: people are never asked.
    Unreached,
    /// A guard takes some of what the permit gives.
    Overlap,
    /// The rule matches none of the identities that are given.
    MatchesNoOne,
    /// The identities that are given can't fill all places of an approval.
    QuorumOfNone,
}

impl WarningCode {
    /// The stable word for the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            WarningCode::Ended => "ended",
            WarningCode::NotYetValid => "not_yet_valid",
            WarningCode::ReviewOverdue => "review_overdue",
            WarningCode::Shadowed => "shadowed",
            WarningCode::Duplicate => "duplicate",
            WarningCode::UnknownTool => "unknown_tool",
            WarningCode::UnknownLabel => "unknown_label",
            WarningCode::ActsWithoutResource => "acts_without_resource",
            WarningCode::PermitsEverything => "permits_everything",
            WarningCode::PatternAsText => "pattern_as_text",
            WarningCode::Template => "template",
            WarningCode::UnknownKind => "unknown_kind",
            WarningCode::NeverStated => "never_stated",
            WarningCode::OpenBelow => "open_below",
            WarningCode::PartOfAddress => "part_of_address",
            WarningCode::UntypedPath => "untyped_path",
            WarningCode::FolderLeftOut => "folder_left_out",
            WarningCode::OpenPrefix => "open_prefix",
            WarningCode::DottedName => "dotted_name",
            WarningCode::NeverDelegated => "never_delegated",
            WarningCode::BareList => "bare_list",
            WarningCode::UnnamedArgument => "unnamed_argument",
            WarningCode::NothingWithheld => "nothing_withheld",
            WarningCode::BudgetOfNothing => "budget_of_nothing",
            WarningCode::PastCeiling => "past_ceiling",
            WarningCode::NeverSame => "never_same",
            WarningCode::LooksAlike => "looks_alike",
            WarningCode::OptionalOnly => "optional_only",
            WarningCode::OptionalNamed => "optional_named",
            WarningCode::DefaultUnnamed => "default_unnamed",
            WarningCode::Dead => "dead",
            WarningCode::Covered => "covered",
            WarningCode::Unreached => "unreached",
            WarningCode::Overlap => "overlap",
            WarningCode::MatchesNoOne => "matches_no_one",
            WarningCode::QuorumOfNone => "quorum_of_none",
        }
    }
}

impl Warning {
    /// What kind of warning it is.
    pub fn code(&self) -> WarningCode {
        self.code
    }

    /// The id of the rule it is about.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Where in the rule: the path of keys, as in `what.args.amount`; empty for the rule as a whole.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// What was found, and what may have been meant.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}`: {} ({})", self.rule, self.message, self.code)
    }
}

/// The warnings found so far, and the rule that is looked at.
pub(super) struct Findings<'r> {
    rule: &'r str,
    found: Vec<Warning>,
}

impl<'r> Findings<'r> {
    pub(super) const fn new() -> Self {
        Findings { rule: "", found: Vec::new() }
    }

    /// What is found from here on is about this rule.
    pub(super) fn of_rule(&mut self, rule: &'r str) -> &mut Self {
        self.rule = rule;
        self
    }

    /// Adds a warning about what stands at a path of keys, as in `what.args.amount`.
    pub(super) fn add(&mut self, code: WarningCode, at: &str, message: impl Into<Box<str>>) {
        let (rule, at) = (self.rule.into(), at.into());
        self.found.push(Warning { code, rule, at, message: message.into() });
    }

    /// As [`add`](Self::add), of a rule of which the same has been found in another way, not.
    pub(super) fn add_unless_found(&mut self, code: WarningCode, at: &str, message: String) {
        let own = self.found.iter().rev().take_while(|own| *own.rule == *self.rule);
        // What is the same as another rule is covered by it.
        let is_said = |own: &Warning| {
            own.code == code
                || (own.code, code) == (WarningCode::Duplicate, WarningCode::Covered)
                || (own.code, code) == (WarningCode::UnnamedArgument, WarningCode::NothingWithheld)
        };
        if !own.into_iter().any(is_said) {
            self.add(code, at, message);
        }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.found
    }
}
