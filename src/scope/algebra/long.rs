//! Texts that are longer than patterns are asked of.
//!
//! Of these only the other machines tell anything. What they can be is found on the graph of their states:
//! where a circle leads to a state, texts of any length do; every other state is reached by finitely many
//! texts, and its longest one tells.

use std::collections::{HashMap, HashSet};

use super::super::glob::MAX_PATTERN_TEXT;
use super::cells::Sampler;
use super::product::{Product, States};
use crate::meter::{Meter, Work};
use crate::value::Value;

/// Of writing down a text of this many bytes.
const STEPS_TO_SPELL: usize = MAX_PATTERN_TEXT;

/// Exact where each letter of the product is the widest of those that it stands for.
pub(super) fn sample(product: &mut Product<'_>, sampler: &mut Sampler<'_>, meter: &Meter) {
    let Some(mut graph) = Graph::of(product, meter) else { return sampler.give_up() };
    graph.measure();
    let mut answers = HashSet::new();
    for at in 0..graph.nodes.len() {
        let Some(node) = graph.nodes.get(at) else { return };
        if node.is_bounded && node.longest <= MAX_PATTERN_TEXT {
            continue;
        }
        if answers.insert(product.accepts(&node.states)) {
            if !meter.charge(STEPS_TO_SPELL, Work::Containing) {
                return sampler.give_up();
            }
            let text = graph.spell(at);
            sampler.offer(Some(Value::from(text)), meter);
            if sampler.done() {
                return;
            }
        }
    }
}

/// What the machines can be in, and how they get there.
struct Graph {
    nodes: Vec<GraphNode>,
    steps: Vec<Step>,
}

struct GraphNode {
    states: States,
    /// The step by which it was first reached: the shortest way there begins with those. None of the first.
    first: Option<usize>,
    /// The steps that lead on.
    out: std::ops::Range<usize>,
    /// How many steps lead here that are not accounted for.
    open: usize,
    /// Whether finitely many texts lead here.
    is_bounded: bool,
    /// The bytes of the longest of these, and the step by which it arrives.
    longest: usize,
    last: Option<usize>,
}

struct Step {
    from: usize,
    to: usize,
    by: char,
}

impl Graph {
    /// `None` if the steps do not last.
    fn of(product: &mut Product<'_>, meter: &Meter) -> Option<Self> {
        let mut numbers = HashMap::from([(product.start(), 0)]);
        let mut graph =
            Graph { nodes: vec![GraphNode::new(product.start(), None)], steps: Vec::new() };
        let mut at = 0;
        while let Some(node) = graph.nodes.get(at) {
            let states = node.states.clone();
            let begin = graph.steps.len();
            product.each_step(&states, meter, |by, next| {
                let to = *numbers.entry(next).or_insert_with_key(|next| {
                    graph.nodes.push(GraphNode::new(next.clone(), Some(graph.steps.len())));
                    graph.nodes.len() - 1
                });
                graph.steps.push(Step { from: at, to, by });
                if let Some(node) = graph.nodes.get_mut(to) {
                    node.open += 1;
                }
            })?;
            let end = graph.steps.len();
            if let Some(node) = graph.nodes.get_mut(at) {
                node.out = begin..end;
            }
            at += 1;
        }
        Some(graph)
    }

    /// Takes away, again and again, what no step leads to: what is left lies on a circle or behind one.
    fn measure(&mut self) {
        let mut ready: Vec<usize> =
            self.nodes.first().filter(|node| node.open == 0).map(|_| 0).into_iter().collect();
        while let Some(at) = ready.pop() {
            let Some(node) = self.nodes.get_mut(at) else { return };
            node.is_bounded = true;
            let (longest, out) = (node.longest, node.out.clone());
            for (step, Step { to, by, .. }) in
                out.clone().zip(self.steps.get(out).unwrap_or_default())
            {
                let Some(next) = self.nodes.get_mut(*to) else { return };
                if next.last.is_none() || longest + by.len_utf8() > next.longest {
                    next.longest = longest + by.len_utf8();
                    next.last = Some(step);
                }
                next.open -= 1;
                if next.open == 0 {
                    ready.push(*to);
                }
            }
        }
        // Behind a circle, any step from what is left leads back along texts of any length.
        for (at, Step { from, to, .. }) in self.steps.iter().enumerate() {
            let is_bounded = self.nodes.get(*from).is_none_or(|node| node.is_bounded);
            if let Some(next) = self.nodes.get_mut(*to)
                && !is_bounded
            {
                next.last = Some(at);
            }
        }
    }

    /// A text longer than patterns are asked of that leads there.
    fn spell(&self, mut at: usize) -> String {
        let mut letters = Vec::new();
        let mut bytes = 0;
        while let Some(node) = self.nodes.get(at)
            // Back along the longest way, and round the circle until it is long enough; then straight.
            && let Some(step) = match node.is_bounded || bytes <= MAX_PATTERN_TEXT {
                true => node.last,
                false => node.first,
            }
            && let Some(Step { from, by, .. }) = self.steps.get(step)
        {
            letters.push(*by);
            bytes += by.len_utf8();
            at = *from;
        }
        letters.iter().rev().collect()
    }
}

impl GraphNode {
    fn new(states: States, first: Option<usize>) -> Self {
        let out = 0..0;
        GraphNode { states, first, out, open: 0, is_bounded: false, longest: 0, last: None }
    }
}
