//! `cedar-policy`: W3, and what W4 decides with.
//!
//! Principal, action and resource in the scope of each policy, the rest in its conditions; groups as parents of
//! entities. The policy set and the entities are built once; a request, which the interface consumes, with each question.
//! *More* than hallpass: entities with attributes, schemas. *Less*: every policy is looked at.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};
use criterion::Criterion;

use crate::cases;
use crate::workload::{Rules, table, tool};

pub(crate) struct Engine {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    agent: EntityTypeName,
    action: EntityTypeName,
    table: EntityTypeName,
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

impl Engine {
    pub(crate) fn new(size: usize) -> Self {
        let rules = Rules::of(size);
        let mut text = String::new();
        for j in 0..rules.forbids {
            let (tool, table) = (tool(j), table(j));
            writeln!(
                text,
                r#"forbid(principal, action == Action::"{tool}", resource == Table::"{table}")
                   when {{ context.risk >= 40 }};"#
            )
            .unwrap();
        }
        for i in 0..rules.permits {
            let (tool, table) = (tool(i), table(i));
            writeln!(
                text,
                r#"permit(principal in Group::"g{i}", action == Action::"{tool}", resource == Table::"{table}")
                   when {{ context.env == "prod" && context.risk < 50 }};"#
            )
            .unwrap();
        }
        let name = |text| EntityTypeName::from_str(text).unwrap();
        let (agent, group) = (name("Agent"), name("Group"));
        let entities = (0..rules.permits).map(|i| {
            let parents = HashSet::from([uid(&group, &format!("g{i}"))]);
            Entity::new(uid(&agent, &format!("agent-{i}")), HashMap::new(), parents).unwrap()
        });
        let entities = Entities::from_entities(entities, None).unwrap();
        let policies = PolicySet::from_str(&text).unwrap();
        let (action, table) = (name("Action"), name("Table"));
        Engine { authorizer: Authorizer::new(), policies, entities, agent, action, table }
    }

    pub(crate) fn decide(&self, request: &cases::Request<'_>) -> bool {
        let context = Context::from_pairs([
            ("env".to_owned(), RestrictedExpression::new_string(request.env.to_owned())),
            ("risk".to_owned(), RestrictedExpression::new_long(request.risk)),
        ]);
        let request = Request::new(
            uid(&self.agent, request.agent),
            uid(&self.action, request.tool),
            uid(&self.table, request.table),
            context.unwrap(),
            None,
        );
        let answer =
            self.authorizer.is_authorized(&request.unwrap(), &self.policies, &self.entities);
        answer.decision() == Decision::Allow
    }
}

pub(crate) fn decision(c: &mut Criterion, size: usize) {
    let engine = Engine::new(size);
    cases::decision(c, "cedar", size, |request| engine.decide(request));
}
