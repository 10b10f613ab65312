//! The positions of the tables and keys of a file in its text.

use toml_edit::{Item, Table};

/// The lines from one header to the next; the first section has no header.
pub(super) struct Section {
    /// The whole path of the header's table; empty for the lines above all headers.
    pub(super) path: Vec<String>,
    /// Where its header's line begins.
    pub(super) start: usize,
    /// Behind its header's line.
    pub(super) body: usize,
    /// Its keys, in order of the text.
    pub(super) entries: Vec<KeyEntry>,
}

/// A key and its value.
pub(super) struct KeyEntry {
    /// The whole path, that of the section included.
    pub(super) path: Vec<String>,
    /// Where its first line begins.
    pub(super) start: usize,
    /// Behind its last line.
    pub(super) end: usize,
}

impl Section {
    /// Behind the last key, or behind the header.
    pub(super) fn last_line(&self) -> usize {
        self.entries.last().map_or(self.body, |entry| entry.end)
    }
}

/// The sections of a text, in its order.
pub(super) struct Layout<'t> {
    pub(super) text: &'t str,
    pub(super) sections: Vec<Section>,
}

impl<'t> Layout<'t> {
    pub(super) fn of(text: &'t str, root: &Table) -> Self {
        let mut layout = Self { text, sections: Vec::new() };
        let top = Section { path: Vec::new(), start: 0, body: 0, entries: Vec::new() };
        layout.section(top, root);
        layout.sections.sort_by_key(|section| (section.body, section.start));
        layout
    }

    fn section(&mut self, mut section: Section, table: &Table) {
        let mut path = section.path.clone();
        self.walk(table, &mut path, Some(&mut section));
        section.entries.sort_by_key(|entry| entry.start);
        self.sections.push(section);
    }

    fn walk(&mut self, table: &Table, path: &mut Vec<String>, mut section: Option<&mut Section>) {
        for (name, item) in table.iter() {
            path.push(name.to_owned());
            match item {
                Item::None => {}
                Item::Value(value) => {
                    let key = table.key(name).and_then(toml_edit::Key::span);
                    if let (Some(section), Some(key), Some(value)) = (section.as_mut(), key, value.span()) {
                        section.entries.push(KeyEntry {
                            path: path.clone(),
                            start: self.line_start(key.start),
                            end: self.line_end(value.end),
                        });
                    }
                }
                Item::Table(table) if table.is_dotted() => {
                    self.walk(table, path, section.as_deref_mut());
                }
                Item::Table(table) if table.is_implicit() => self.walk(table, path, None),
                Item::Table(table) => self.header(table, path),
                Item::ArrayOfTables(tables) => tables.iter().for_each(|table| self.header(table, path)),
            }
            path.pop();
        }
    }

    fn header(&mut self, table: &Table, path: &[String]) {
        if let Some(span) = table.span() {
            let (start, body) = (self.line_start(span.start), self.line_end(span.end));
            self.section(Section { path: path.to_vec(), start, body, entries: Vec::new() }, table);
        }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Behind the newline that ends the line of a byte.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// Where the comment right above a section begins; the header's line if there is none.
    pub(super) fn above(&self, index: usize) -> usize {
        let section = &self.sections[index];
        let floor = index.checked_sub(1).map_or(0, |before| self.sections[before].last_line());
        let mut start = section.start;
        while start > floor {
            let before = self.line_start(start - 1);
            if !self.text[before..start].trim_start().starts_with('#') {
                break;
            }
            start = before;
        }
        start
    }

    /// Behind the last line that is not blank before the next section and its comment.
    pub(super) fn tail(&self, index: usize) -> usize {
        let until = if index + 1 < self.sections.len() { self.above(index + 1) } else { self.text.len() };
        let from = self.sections[index].last_line();
        match self.text[from..until].trim_end() {
            "" => from,
            comments => self.line_end(from + comments.len()).min(until),
        }
    }

    /// The entry of a key that has its own line.
    pub(super) fn entry(&self, path: &[String]) -> Option<&KeyEntry> {
        self.sections.iter().flat_map(|section| &section.entries).find(|entry| entry.path == path)
    }
}
