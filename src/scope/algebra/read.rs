//! Texts that are read as something else before they are judged: instants, addresses, JSON.
//!
//! No text is of two of these, so each is cut on its own. Next to patterns, which look at the spelling,
//! they are sampled only: which spellings an instant has is not followed up.

use std::net::IpAddr;
use std::time::Duration;

use super::super::constraint::{Constraint, Node};
use super::super::embedded;
use super::super::network::Network;
use super::super::weekly::Weekly;
use super::cells::{Sampler, Test};
use crate::clock::Timestamp;
use crate::meter::{Meter, Work};
use crate::value::Value;

/// Of writing an instant, an address or JSON in two ways.
const STEPS_TO_SPELL: usize = 100;

const MILLI: Duration = Duration::from_millis(1);

/// Exact unless patterns look at the same text, or windows of the week stand next to instants or are by the clocks of
/// several places of which one moves them. Answers whether there was anything to do.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) -> bool {
    let mut cuts = Vec::new();
    let mut weekly = Vec::new();
    let mut networks = Vec::new();
    let mut inner: Vec<Test<'_>> = Vec::new();
    for test in sampler.tests {
        let Test::Ask { how, .. } = *test else { continue };
        test.leaves(&mut |leaf: &Constraint, negated| match &leaf.0 {
            Node::Instants(range) => cuts.extend(range.after.iter().chain(&range.before)),
            Node::Weekly(window) => weekly.push(*window),
            Node::Cidr(own) => networks.extend(own.iter().copied()),
            Node::Json(constraint) => {
                let test = Test::Ask { constraint, how: how.inside(negated) };
                if !inner.contains(&test) {
                    inner.push(test);
                }
            }
            _ => {}
        });
    }
    if cuts.is_empty() && weekly.is_empty() && networks.is_empty() && inner.is_empty() {
        return false;
    }
    if !cuts.is_empty() && !weekly.is_empty() {
        sampler.miss();
    }
    // In a week in which a zone's clocks are not moved, they show all that they ever show. Next to those of another
    // place they show more together than one week has.
    let places = || weekly.iter().filter(|own: &&Weekly| !own.is_always()).map(Weekly::zone);
    if places().flatten().next().is_some() && places().any(|own| Some(own) != places().next()) {
        sampler.miss();
    }
    // Neither read nor named.
    let mut nothing = "x".to_owned();
    while !meter.is_spent() && sampler.is_named(&Value::from(nothing.as_str()), meter) {
        nothing.push('x');
    }
    for text in [String::new(), nothing] {
        sampler.offer(Some(Value::from(text)), meter);
    }
    let mut instants = around_cuts(cuts);
    for edge in weekly.iter().flat_map(Weekly::edges) {
        instants.extend([edge].into_iter().chain(edge.checked_sub(MILLI)));
    }
    if !weekly.is_empty() {
        // Of the last hours of 9999 no zone's clocks are known.
        instants.extend([Timestamp::MIN, Timestamp::MAX]);
    }
    for instant in instants {
        if sampler.done() {
            break;
        }
        let text = instant.to_string();
        let other = text.replace('Z', "+00:00");
        offer(sampler, [text, other], meter);
    }
    let mut addresses: Vec<IpAddr> = networks.iter().flat_map(Network::around).collect();
    if !addresses.is_empty() {
        // The first address of both families, and where addresses begin and cease to stand for others.
        addresses.push(IpAddr::V4(0_u32.into()));
        let forms: Vec<IpAddr> = addresses
            .iter()
            .filter_map(|own| if let IpAddr::V4(v4) = own { Some(*v4) } else { None })
            .flat_map(embedded::standing_for)
            .chain(embedded::edges())
            .map(|own| IpAddr::V6(own).to_canonical())
            .collect();
        addresses.extend(forms);
    }
    if networks.iter().any(Network::splits_repetition) {
        sampler.miss();
    }
    for address in addresses {
        if sampler.done() {
            break;
        }
        let mapped = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().to_string(),
            IpAddr::V6(v6) => v6.segments().map(|part| format!("{part:04x}")).join(":"),
        };
        offer(sampler, [address.to_string(), mapped], meter);
    }
    if !inner.is_empty() {
        let cells = sampler.inside(&inner, false, meter);
        if !cells.complete {
            sampler.miss();
        }
        for value in cells.found.into_values().flatten() {
            if sampler.done() {
                break;
            }
            let text = value.to_json();
            let other = format!(" {text}");
            offer(sampler, [text, other], meter);
        }
    }
    true
}

/// Each cut and the instant just before it: from one cut to the next all get the same answers.
fn around_cuts(cuts: Vec<Timestamp>) -> Vec<Timestamp> {
    cuts.into_iter().flat_map(|cut| cut.checked_sub(MILLI).into_iter().chain([cut])).collect()
}

/// One of two spellings of the same, that which no test names.
fn offer(sampler: &mut Sampler<'_>, spellings: [String; 2], meter: &Meter) {
    if !meter.charge(STEPS_TO_SPELL, Work::Containing) {
        return sampler.give_up();
    }
    let free = spellings.into_iter().map(Value::from).find(|own| !sampler.is_named(own, meter));
    match free {
        Some(spelling) => sampler.offer(Some(spelling), meter),
        None => sampler.miss(),
    }
}
