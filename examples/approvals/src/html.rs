//! The page as HTML. Whatever comes from a question is escaped here, and is harmless text by then.

use hallpass::policy::Width;
use hallpass::{Question, ViewLine};

use crate::sign_in::SignedIn;

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

fn document(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Approvals</title>\
         <link rel=\"stylesheet\" href=\"/page.css\"><script src=\"/page.js\" defer></script>\
         <main>{body}</main></html>"
    )
}

pub(crate) fn sign_in(problem: &str) -> String {
    document(&format!(
        "<h1>Approvals</h1><p>{}</p><p>This sign-in is a stand-in: it believes every name.</p>\
         <form method=\"post\" action=\"/sign-in\"><label>Name <input name=\"name\" autofocus required></label> \
         <button>Sign in</button></form>",
        escaped(problem)
    ))
}

pub(crate) fn page(own: &SignedIn, cards: &str) -> String {
    document(&format!(
        "<h1>What waits for {}</h1><p role=\"status\" id=\"status\"></p><div id=\"cards\">{cards}</div>",
        escaped(own.who.subject().as_str())
    ))
}

pub(crate) fn refused(why: &str) -> String {
    document(&format!(
        "<h1>This answer does not count</h1><p id=\"refused\">{}</p><p><a href=\"/\">Look again</a></p>",
        escaped(why)
    ))
}

/// A question, as its view, and what can be answered. The digest of exactly this view goes with a yes.
pub(crate) fn card(question: &Question, csrf: &str) -> String {
    let view = question.view();
    let (id, shown) = (escaped(&question.id()), view.digest());
    let lines: String = view.lines().map(line).collect();
    let hidden = format!(
        "<input type=\"hidden\" name=\"csrf\" value=\"{}\"><input type=\"hidden\" name=\"question\" value=\"{id}\">",
        escaped(csrf)
    );
    // The one call goes without saying.
    let offers = question.offers();
    let widths = match &*offers {
        [only] => format!(
            "<input type=\"hidden\" name=\"width\" value=\"{}\">",
            escaped(&only.to_string())
        ),
        all => {
            let option =
                |width: &Width| format!("<option>{}</option>", escaped(&width.to_string()));
            let options: String = all.iter().map(option).collect();
            format!("<label>How far <select name=\"width\">{options}</select></label> ")
        }
    };
    format!(
        "<article data-question=\"{id}\" aria-label=\"question\"><dl>{lines}</dl>\
         <p class=\"digest\">sha-256 {shown}, to be answered until {}</p>\
         <form method=\"post\" action=\"/approve\">{hidden}<input type=\"hidden\" name=\"shown\" value=\"{shown}\">\
         {widths}\
         <button class=\"approve\">Approve this call</button></form>\
         <form method=\"post\" action=\"/deny\">{hidden}<label>Reason <input name=\"why\"></label> \
         <button class=\"deny\">Deny</button></form></article>",
        question.expires()
    )
}

fn line(line: &ViewLine) -> String {
    let class = match (line.is_untrusted(), line.is_cut() || line.is_uninspectable()) {
        (true, _) => "untrusted",
        (_, true) => "partly",
        _ => "whole",
    };
    format!(
        "<dt>{}</dt><dd class=\"{class}\"><code>{}</code> <em>{}</em></dd>",
        escaped(line.label()),
        escaped(line.value()),
        escaped(line.notes())
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_ends_an_attribute_or_begins_an_element() {
        assert_eq!(
            super::escaped("<a b='c' d=\"&\">é"),
            "&lt;a b=&#39;c&#39; d=&quot;&amp;&quot;&gt;é"
        );
    }
}
