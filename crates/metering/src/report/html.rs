//! The report as a page of its own: for mails and for files.

use std::fmt::Write as _;

use chrono_tz::Tz;

use super::{Figure, Line, Report, change};
use crate::{chart::grouped, length};

impl Report {
    /// As HTML: a heading and a table, without scripts or styles.
    pub fn html(&self, zone: Tz, show_zero: bool) -> String {
        let title = escaped(&self.title(zone));
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body><h1>{title}</h1>\n"
        );
        if self.accounts.is_empty() {
            page.push_str("<p>No accounts are measured yet.</p>\n");
        } else {
            page.push_str(
                "<table><thead><tr><th>Account</th><th>Followers</th><th>Following</th><th>Statuses</th>\
                 <th>Remarks</th></tr></thead>\n<tbody>\n",
            );
            for line in &self.accounts {
                line.row(&mut page, show_zero);
            }
            page.push_str("</tbody></table>\n");
        }
        page.push_str("</body></html>\n");
        page
    }
}

impl Line {
    fn row(&self, page: &mut String, show_zero: bool) {
        let cell = |figure: Figure| match figure.count {
            Some(count) => format!("{}{}", grouped(count.into()), change(figure.change, show_zero)),
            None if self.measured_at.is_none() => String::new(),
            None => "not told".to_owned(),
        };
        let mut remarks = Vec::new();
        if self.measured_at.is_none() {
            remarks.push("not measured yet".to_owned());
        }
        if let Some(real) = self.real_interval {
            remarks.push(format!("compared with {} before", length(real)));
        }
        remarks.extend(self.trouble.clone());
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&self.acct),
            cell(self.followers),
            cell(self.following),
            cell(self.statuses),
            escaped(&remarks.join("; "))
        );
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check 47, as a page.
    #[test]
    fn a_page_says_the_same_and_escapes_it() {
        let figure = |count, change| Figure {
            count: Some(count),
            change: Some(change),
        };
        let at = "2026-03-01T03:00:00Z".parse().unwrap();
        let report = Report {
            to: at,
            since: "2026-02-28T03:00:00Z".parse().unwrap(),
            accounts: vec![Line {
                id: 1,
                acct: "name@host".into(),
                followers: figure(12_345, 3),
                following: figure(5, 0),
                statuses: figure(2000, -2),
                measured_at: Some(at),
                compared_with: None,
                real_interval: Some(4 * 86_400),
                trouble: Some("<b>".into()),
            }],
        };
        let page = report.html(Tz::UTC, false);
        assert!(
            page.contains("<h1>Egret report, 24 hours to 1 Mar 2026 03:00 UTC</h1>"),
            "{page}"
        );
        assert!(
            page.contains(
                "<tr><td>name@host</td><td>12,345 (+3)</td><td>5</td><td>2000 (-2)</td>\
                 <td>compared with 4 days before; &lt;b&gt;</td></tr>"
            ) || page.contains("<td>2,000 (-2)</td>"),
            "{page}"
        );
        assert!(!page.contains("<b>"));
    }
}
