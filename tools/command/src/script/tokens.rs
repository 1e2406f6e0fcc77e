// SPDX-License-Identifier: GPL-2.0

//! A line cut into words and signs.

use super::error::SyntaxError;

/// A word or a sign, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub what: What,
    /// Its place in the line, in characters.
    pub at: usize,
    /// How many characters it takes.
    pub len: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A name, a constant, a number: anything without blanks and signs.
    Word(String),
    /// What stood between quotes.
    Quoted(String),
    /// `=`, `:`, `,` or `|`
    Sign(char),
}

impl Token {
    /// The word, if it is one that needs no quotes.
    pub fn word(&self) -> Option<&str> {
        match &self.what {
            What::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether it is this sign.
    pub fn is(&self, sign: char) -> bool {
        self.what == What::Sign(sign)
    }
}

/// Whether a word is a name: a small letter, then letters, digits and `_`.
pub fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a word looks like a constant of C.
pub fn is_constant(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
}

/// The tokens of a line, and the comment at its end without the `#`.
///
/// # Errors
///
/// For quotes that nobody closes.
pub fn tokens(line: &str) -> Result<(Vec<Token>, Option<String>), SyntaxError> {
    let chars: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let from = at;
        at += 1;
        let what = match c {
            '#' => return Ok((found, Some(chars[at..].iter().collect()))),
            c if c.is_whitespace() => continue,
            '=' | ':' | ',' | '|' => What::Sign(c),
            '"' => {
                let (text, end) = quoted(&chars, at)
                    .ok_or_else(|| SyntaxError::new(from, 1, "these quotes are not closed"))?;
                at = end;
                What::Quoted(text)
            }
            _ => {
                let ends = |c: &char| c.is_whitespace() || "=:,|#\"".contains(*c);
                at += chars[at..].iter().take_while(|c| !ends(c)).count();
                What::Word(chars[from..at].iter().collect())
            }
        };
        let len = at - from;
        found.push(Token {
            what,
            at: from,
            len,
        });
    }
    Ok((found, None))
}

/// The text that begins here and ends with quotes, and what is behind them. A `\` takes the next
/// character as it is.
fn quoted(chars: &[char], from: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut at = from;
    loop {
        match chars.get(at)? {
            '"' => return Some((text, at + 1)),
            '\\' => {
                text.push(*chars.get(at + 1)?);
                at += 2;
            }
            &c => {
                text.push(c);
                at += 1;
            }
        }
    }
}

/// A text as it is read again: with quotes where it needs them.
pub fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./+@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut shown = String::from("\"");
    for c in text.chars() {
        if c == '"' || c == '\\' {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown.push('"');
    shown
}
