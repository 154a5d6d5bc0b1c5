//! Which module of the crate names which, with what is re-exported followed to where it is defined.

use std::collections::{BTreeMap, BTreeSet};

use crate::files;
use crate::rust::{self, Word};

/// A module by its path below the crate: `["scope", "glob"]`.
pub(crate) type Module = Vec<String>;

/// The modules of `src`, without those that only tests or a fuzzer see.
pub(crate) struct Crate {
    modules: BTreeMap<Module, Source>,
}

struct Source {
    words: Vec<Word>,
    /// Names that `use` brings in, and the paths they stand for.
    names: BTreeMap<Word, Vec<Word>>,
}

impl Crate {
    pub(crate) fn read() -> Self {
        let mut modules = BTreeMap::new();
        for path in files::below("src", ".rs") {
            let module = module_of(&path);
            let text = files::read(&path);
            let words = rust::flat(rust::without_tests(&rust::words(&text)));
            let names = names_of(&words);
            modules.insert(module, Source { words, names });
        }
        let hidden =
            |module: &Module| (1..=module.len()).any(|end| !is_declared(&modules, &module[..end]));
        let hidden: Vec<Module> = modules.keys().filter(|own| hidden(own)).cloned().collect();
        modules.retain(|module, _| !hidden.contains(module));
        Crate { modules }
    }

    /// Every pair of modules of which the first names something that the second defines.
    pub(crate) fn imports(&self) -> BTreeSet<(Module, Module)> {
        let mut all = BTreeSet::new();
        for (module, source) in &self.modules {
            for path in self.named_in(module, source) {
                if let Some(target) = self.resolve(module, &path, 0)
                    && target != *module
                {
                    all.insert((module.clone(), target));
                }
            }
        }
        all
    }

    /// The folders: modules with modules below them, the crate itself first.
    pub(crate) fn folders(&self) -> BTreeSet<Module> {
        let parents = self.modules.keys().filter(|module| !module.is_empty());
        parents.map(|module| module[..module.len() - 1].to_vec()).collect()
    }

    /// The paths that a module's code names. A re-export alone is not a use of what it names; a name that
    /// is brought in and used is.
    fn named_in(&self, module: &Module, source: &Source) -> Vec<Vec<Word>> {
        let words = &source.words;
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let starts = at == 0 || words[at - 1] != "::";
            let path_follows = words.get(at + 1).is_some_and(|word| word == "::");
            if words[at] == "use" && starts {
                let (paths, read) = rust::paths(&words[at + 1..]);
                if !is_public(words, at) {
                    found.extend(paths.into_iter().map(|(path, _)| path));
                }
                at += read.max(1) + 1;
            } else if starts && path_follows && self.is_start(module, &words[at]) {
                let (paths, _) = rust::paths(&words[at..]);
                found.extend(paths.into_iter().map(|(path, _)| path));
                at += 1;
            } else {
                let field = at > 0 && words[at - 1] == ".";
                if starts
                    && !field
                    && let Some(path) = source.names.get(&words[at])
                {
                    found.push(path.clone());
                }
                at += 1;
            }
        }
        found
    }

    fn is_start(&self, module: &Module, word: &str) -> bool {
        matches!(word, "crate" | "super" | "self")
            || self.modules.contains_key(&[module.clone(), vec![word.to_owned()]].concat())
    }

    /// The module that defines what a path names, seen from a module. `None` for what is not the
    /// crate's.
    fn resolve(&self, from: &Module, path: &[Word], depth: usize) -> Option<Module> {
        assert!(depth < 32, "{from:?} re-exports {path:?} without end");
        let mut rest = path;
        let mut at = from.clone();
        let mut own = false;
        loop {
            match rest.first()?.as_str() {
                "crate" => at = Module::new(),
                "self" => {}
                "super" => {
                    at.pop();
                }
                _ => break,
            }
            own = true;
            rest = &rest[1..];
            if rest.is_empty() {
                return Some(at);
            }
        }
        while let Some(word) = rest.first() {
            let below = [at.clone(), vec![word.clone()]].concat();
            if self.modules.contains_key(&below) {
                (at, own) = (below, true);
            } else if let Some(path) = self.modules[&at].names.get(word)
                && (own || at == *from)
                && *path != rest
            {
                return self.resolve(&at, path, depth + 1);
            } else {
                return own.then_some(at);
            }
            rest = &rest[1..];
        }
        Some(at)
    }
}

/// `src/scope/glob.rs` and `src/scope/glob/mod.rs` are both `scope::glob`.
fn module_of(path: &str) -> Module {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// Whether the module above declares it where it is compiled for users, too.
fn is_declared(modules: &BTreeMap<Module, Source>, module: &[String]) -> bool {
    let (name, parent) = module.split_last().unwrap();
    let words = &modules[parent].words;
    words.windows(2).any(|pair| pair[0] == "mod" && pair[1] == *name)
}

/// The names that a file brings in for all of itself: not those of a block or a module inside it.
fn names_of(words: &[Word]) -> BTreeMap<Word, Vec<Word>> {
    let mut names = BTreeMap::new();
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "use" if depth == 0 => {
                let named = rust::paths(&words[at + 1..]).0.into_iter();
                names
                    .extend(named.filter(|(_, name)| name != "*").map(|(path, name)| (name, path)));
            }
            _ => {}
        }
    }
    names
}

/// Whether the `use` here stands behind `pub` or `pub(..)`.
fn is_public(words: &[Word], at: usize) -> bool {
    match at.checked_sub(1).map(|before| words[before].as_str()) {
        Some("pub") => true,
        Some(")") => words[..at].iter().rev().take(5).any(|word| word == "pub"),
        _ => false,
    }
}
