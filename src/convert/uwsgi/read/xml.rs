//! XML: the elements below `<uwsgi>`, each an option; an empty one is 1.

use roxmltree::{Document, Node};

use super::{
    line::asked,
    structured::{Found, Lines},
};

/// The options below the element `uwsgi`, of those with an `id` the ones that are asked for.
pub(super) fn read(text: &str, section: &str) -> Result<Found, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let lines = Lines::of(text);
    // A section is asked for only if it has another name.
    let id = Some(section).filter(|section| *section != "uwsgi");
    let root = document.root_element();
    let root = if root.has_tag_name("uwsgi") {
        root
    } else {
        let mut below = root.children().filter(|node| node.has_tag_name("uwsgi"));
        below
            .find(|node| fits(node, id))
            .ok_or("there is no element `uwsgi`")?
    };
    let mut found = Found::default();
    for node in root.children() {
        let line = lines.at(node.range().start);
        if node.is_text() {
            loose_text(&mut found, line, text, &node);
        } else if node.is_element() && fits(&node, id) {
            element(&mut found, line, &node);
        }
    }
    Ok(found)
}

/// Whether an element counts when this `id` is asked for.
fn fits(node: &Node<'_, '_>, id: Option<&str>) -> bool {
    match (id, node.attribute("id")) {
        (Some(asked_for), Some(own)) => asked_for == own,
        _ => true,
    }
}

/// Between elements uWSGI reads CDATA alone, which it evaluates.
fn loose_text(found: &mut Found, line: u32, whole: &str, node: &Node<'_, '_>) {
    let text = node.text().unwrap_or("");
    if text.trim().is_empty() {
        return;
    }
    let is_cdata = whole
        .get(node.range())
        .is_some_and(|raw| raw.contains("<![CDATA["));
    if is_cdata {
        found.push(line, "eval", text);
    } else {
        let text = "uWSGI passes over text that is in no element";
        found.remarks.push((line, asked(text)));
    }
}

fn element(found: &mut Found, line: u32, node: &Node<'_, '_>) {
    let name = node.tag_name().name();
    if name != "app" {
        if !node.has_children() {
            found.push(line, name, "1");
        } else if let Some(text) = node.text() {
            found.push(line, name, text);
        } else {
            let text = format!("uWSGI cannot read `{name}`, which has other elements in it");
            found.remarks.push((line, asked(text)));
        }
        return;
    }
    // `<app mountpoint="/x">module</app>`, or with the module in an element of its own.
    let own = node.text().filter(|_| node.children().count() == 1);
    let inner = || {
        node.children()
            .find(Node::is_element)
            .and_then(|inner| inner.text())
    };
    if let Some(module) = own.or_else(inner) {
        let value = match (node.attribute("mountpoint"), node.attribute("domain")) {
            (Some(path), _) => format!("{path}={module}"),
            (None, Some(domain)) => format!("{domain}|={module}"),
            (None, None) => module.to_owned(),
        };
        found.push(line, "mount", &value);
    }
    found.push(line, "app", "");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, section: &str, expected: &[(u32, &str, &str)]) {
        let found = read(text, section).unwrap();
        let pairs = found.drafts.iter();
        let pairs: Vec<_> = pairs.map(|d| (d.line, &d.name[..], &d.value[..])).collect();
        assert_eq!(pairs, expected, "{text}");
    }

    #[test]
    fn elements_are_options() {
        let text =
            "<uwsgi>\n<master/>\n<socket>:1 &amp; x</socket><processes> 4 </processes>\n</uwsgi>";
        check(
            text,
            "uwsgi",
            &[
                (2, "master", "1"),
                (3, "socket", ":1 & x"),
                (3, "processes", " 4 "),
            ],
        );
    }

    #[test]
    fn an_id_chooses() {
        let text = "<x><uwsgi id='a'><master/></uwsgi><uwsgi id='b'><threads id='c'>2</threads><env id='b'>A=1</env></uwsgi></x>";
        check(text, "b", &[(1, "env", "A=1")]);
        check(text, "uwsgi", &[(1, "master", "1")]);
    }

    #[test]
    fn applications_are_mounted() {
        let text = "<uwsgi><app mountpoint='/a'>one</app><app domain='b.example'>\n<module>two</module></app></uwsgi>";
        let expected = [
            (1, "mount", "/a=one"),
            (1, "app", ""),
            (1, "mount", "b.example|=two"),
            (1, "app", ""),
        ];
        check(text, "uwsgi", &expected);
    }

    #[test]
    fn what_is_no_xml_is_an_error_with_its_place() {
        assert!(
            read("<uwsgi>\n<a></b></uwsgi>", "uwsgi")
                .unwrap_err()
                .contains("2:")
        );
        assert!(read("<x/>", "uwsgi").is_err());
    }
}
