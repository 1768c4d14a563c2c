//! The import graph: dependencies point one way.
//!
//! Imports are read as text, since the compiler accepts circles. Type-only imports count as well: a
//! reader follows them like any other.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path},
};

use crate::pages::{Page, clean, pages};

/// The folders of the crates whose modules are layered.
const CRATES: [&str; 3] = ["src/", "hub/src/", "server/src/"];

/// For each node, the nodes it imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Returns every circle of more than one node, each sorted.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|node| (node.as_str(), reachable(graph, node))).collect();
    let mut found = BTreeSet::new();
    for (node, seen) in &reach {
        let mut circle: Vec<String> = seen
            .iter()
            .filter(|other| reach.get(*other).is_some_and(|back| back.contains(node)))
            .map(ToString::to_string)
            .collect();
        circle.sort();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// Returns the nodes that `from` imports, directly or not.
fn reachable<'graph>(graph: &'graph Graph, from: &str) -> BTreeSet<&'graph str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = graph.get(from).into_iter().flatten().map(String::as_str).collect();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            open.extend(graph.get(node).into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

/// Returns the text without comments and without the unit tests at its end.
fn code_of(page: &Page) -> String {
    let text = page.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Returns the top-level modules of a crate that a file of it names, by `crate::` or from a
/// neighbour by `super::`.
fn modules_named(code: &str, depth: usize) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let roots = std::iter::once("crate::".to_owned()).chain((depth > 0).then(|| "super::".repeat(depth)));
    for root in roots {
        for (at, _) in code.match_indices(&root) {
            let before = code.get(..at).and_then(|head| head.chars().next_back());
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                continue;
            }
            let rest = code.get(at + root.len()..).unwrap_or_default();
            named.extend(first_segments(rest));
        }
    }
    named
}

/// Returns the first segment of a path, or of each path of a braced list.
fn first_segments(path: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(list) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut segments, mut begins) = (0_usize, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if c.is_whitespace() => {}
            _ if begins => {
                segments.push(word(list.get(at..).unwrap_or_default()));
                begins = false;
            }
            _ => {}
        }
    }
    segments
}

/// Returns which top-level modules of the crate in `folder` import which. The file that composes
/// them, `lib.rs` or `main.rs`, is above all.
fn crate_graph(folder: &str) -> Graph {
    let mut graph = Graph::new();
    let files: Vec<Page> =
        pages().into_iter().filter(|page| page.path.starts_with(folder) && page.is(&["rs"])).collect();
    for page in &files {
        let inside = page.path.trim_start_matches(folder).trim_end_matches(".rs");
        let segments: Vec<&str> = inside.split('/').filter(|part| *part != "mod").collect();
        let [module, rest @ ..] = segments.as_slice() else { continue };
        let test = segments.iter().any(|part| *part == "tests" || part.ends_with("_tests"));
        if test || matches!(*module, "lib" | "main" | "bin") {
            continue;
        }
        let named = modules_named(&code_of(page), rest.len() + 1);
        graph.entry((*module).to_owned()).or_default().extend(named);
    }
    let known: BTreeSet<String> = graph.keys().cloned().collect();
    for (module, imports) in &mut graph {
        imports.retain(|other| known.contains(other) && other != module);
    }
    graph
}

/// Returns which files below `folder` import which, by relative paths.
fn script_graph(folder: &str) -> Graph {
    let files: Vec<Page> =
        pages().into_iter().filter(|page| page.path.starts_with(folder) && page.is(&["ts", "tsx", "js"])).collect();
    let known: BTreeSet<String> = files.iter().map(|page| page.path.clone()).collect();
    let mut graph = Graph::new();
    for page in &files {
        let imports = code_of(page);
        let quoted = imports.split(['\'', '"']).filter(|text| text.starts_with("./") || text.starts_with("../"));
        let targets = quoted.filter_map(|target| resolve(&page.path, target, &known));
        graph.insert(page.path.clone(), targets.filter(|target| *target != page.path).collect());
    }
    graph
}

/// Returns the file that a relative import means: TypeScript writes `.js` for `.ts` and `.tsx`.
fn resolve(from: &str, target: &str, known: &BTreeSet<String>) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let path = parts.join("/");
    let bare = path.trim_end_matches(".js");
    [path.clone(), format!("{bare}.ts"), format!("{bare}.tsx")].into_iter().find(|name| known.contains(name))
}

fn described(graph: &Graph, circle: &[String]) -> String {
    let arrows = circle.iter().flat_map(|from| {
        let imports = graph.get(from).into_iter().flatten();
        imports.filter(|to| circle.contains(to)).map(move |to| format!("{from} -> {to}"))
    });
    arrows.collect::<Vec<_>>().join(", ")
}

fn acyclic(name: &str, graph: &Graph) {
    let broken: Vec<String> = circles(graph).iter().map(|circle| described(graph, circle)).collect();
    clean(&format!("{name}: imports form no circle; move what both need below both."), &broken);
}

#[test]
fn modules_of_the_crates_form_no_circle() {
    for folder in CRATES {
        let graph = crate_graph(folder);
        assert!(graph.len() > 1 && graph.values().any(|imports| !imports.is_empty()), "{folder}: imports are found");
        acyclic(folder, &graph);
    }
}

#[test]
fn files_of_the_package_form_no_circle() {
    let graph = script_graph("js/");
    assert!(graph.len() > 40 && graph.values().any(|imports| imports.len() > 3), "imports are found");
    acyclic("js", &graph);
}

#[test]
fn a_circle_is_found() {
    let graph = |arrows: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in arrows {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        graph
    };
    assert!(circles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let ring = graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]);
    assert_eq!(circles(&ring), [["b", "c"]]);
    assert_eq!(described(&ring, &["b".to_owned(), "c".to_owned()]), "b -> c, c -> b");
    let code = "use crate::{\n    hub::{Hub, log},\n    values,\n};\nfn f() { crate::clock::now(); not_crate::x() }\nuse super::super::http;";
    assert_eq!(modules_named(code, 2), ["clock", "http", "hub", "values"].map(str::to_owned).into());
}
