//! A region's folder of templates.

use std::collections::{BTreeMap, HashMap};

use typst::foundations::Bytes;
use typst::syntax::{FileId, Source, SyntaxKind, SyntaxNode};
use typst::text::Font;
use typst::utils::LazyHash;
use typst::{Library, LibraryExt};
use typst_kit::fonts::FontStore;

use crate::error::Fault;
use crate::render::Options;
use crate::sample;
use crate::world::{DATA, file_id};

const MOST: usize = 500;
const LONGEST: usize = 1 << 20;
const CODE: &str = "HUB-DOCUMENT-001";

/// Templates that have been read, with the fonts they are set in. Cheap to share between threads.
pub struct Templates {
    library: LazyHash<Library>,
    fonts: FontStore,
    names: BTreeMap<String, FileId>,
    sources: HashMap<FileId, Source>,
}

impl Templates {
    /// Reads a folder, given as file name and text: `invitation.typ`, `invitation.en.typ`,
    /// `letterhead.typ`. `fonts` are OpenType files of the region's own beside those that come with
    /// the typesetter (Libertinus Serif, New Computer Modern, DejaVu Sans Mono).
    ///
    /// # Errors
    /// Every fault of syntax and every import of a file that is not there, in all files.
    pub fn load(files: Vec<(String, String)>, fonts: Vec<Vec<u8>>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if files.len() > MOST {
            let message = format!("more than {MOST} templates");
            return Err(vec![Fault {
                file: String::new(),
                line: 0,
                code: CODE,
                message,
            }]);
        }
        let mut templates = Self {
            library: LazyHash::new(Library::default()),
            fonts: FontStore::new(),
            names: BTreeMap::new(),
            sources: HashMap::new(),
        };
        templates.fonts.extend(typst_kit::fonts::embedded());
        for (index, font) in fonts.into_iter().enumerate() {
            let faces: Vec<Font> = Font::iter(Bytes::new(font)).collect();
            if faces.is_empty() {
                let message = format!("font {} is not an OpenType font", index + 1);
                faults.push(Fault {
                    file: String::new(),
                    line: 0,
                    code: CODE,
                    message,
                });
            }
            templates.fonts.extend(faces.into_iter().map(|face| {
                let info = face.info().clone();
                (face, info)
            }));
        }
        for (name, text) in files {
            match templates.add(&name, text) {
                Ok(()) => {}
                Err(message) => faults.push(Fault {
                    file: name,
                    line: 0,
                    code: CODE,
                    message,
                }),
            }
        }
        for name in templates.names.keys() {
            templates.examine(name, &mut faults);
        }
        faults.sort();
        if faults.is_empty() {
            Ok(templates)
        } else {
            Err(faults)
        }
    }

    fn add(&mut self, name: &str, text: String) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let stem = name
            .strip_suffix(".typ")
            .filter(|stem| !stem.is_empty() && stem.chars().all(plain));
        let (Some(stem), Some(id)) = (stem, file_id(name)) else {
            return Err("a template is called a–z, 0–9, `-`, `_` and ends in .typ".to_owned());
        };
        if text.len() > LONGEST {
            return Err(format!("longer than {LONGEST} bytes"));
        }
        if self.names.insert(stem.to_owned(), id).is_some() {
            return Err("given twice".to_owned());
        }
        self.sources.insert(id, Source::new(id, text));
        Ok(())
    }

    /// Faults of syntax and imports that lead nowhere.
    fn examine(&self, name: &str, faults: &mut Vec<Fault>) {
        let Some(source) = self.names.get(name).and_then(|id| self.sources.get(id)) else {
            return;
        };
        let file = format!("{name}.typ");
        let (errors, _) = source.root().errors_and_warnings();
        for error in errors {
            let line = self.line(error.span, source);
            faults.push(Fault {
                file: file.clone(),
                line,
                code: CODE,
                message: error.message.to_string(),
            });
        }
        let mut nodes = vec![source.root()];
        while let Some(node) = nodes.pop() {
            nodes.extend(node.children());
            if let Some(wanted) = reads(node)
                && !self.exists(&wanted)
            {
                let line = self.line(node.span(), source);
                let message = format!("reads `{wanted}`, which is not among the templates");
                faults.push(Fault {
                    file: file.clone(),
                    line,
                    code: CODE,
                    message,
                });
            }
        }
    }

    fn exists(&self, path: &str) -> bool {
        path == DATA || file_id(path).is_some_and(|id| self.sources.contains_key(&id))
    }

    fn line(&self, span: impl Into<typst::syntax::DiagSpan>, source: &Source) -> usize {
        let range = match span.into().get() {
            typst::syntax::DiagSpanKind::Detached => None,
            typst::syntax::DiagSpanKind::Number { num, sub_range, .. } => {
                source.range(num, sub_range)
            }
            typst::syntax::DiagSpanKind::Range { range, .. } => Some(range),
        };
        range
            .and_then(|range| source.lines().byte_to_line(range.start))
            .map_or(0, |line| line + 1)
    }

    /// The file of a template in a language: `name.LANG.typ`, the same without the subtag, `name.typ`.
    pub(crate) fn find(&self, name: &str, language: &str) -> Option<(&str, FileId)> {
        let primary = language.split(['-', '_']).next().unwrap_or(language);
        [
            format!("{name}.{language}"),
            format!("{name}.{primary}"),
            format!("{name}.sv"),
            name.to_owned(),
        ]
        .iter()
        .find_map(|stem| self.names.get_key_value(stem.as_str()))
        .map(|(stem, id)| (stem.as_str(), *id))
    }

    /// Whether a template is there, in that language or one that it falls back to.
    #[must_use]
    pub fn has(&self, name: &str, language: &str) -> bool {
        self.find(name, language).is_some()
    }

    /// Renders every template that there is [sample](crate::sample) data for, and tells what fails.
    #[must_use]
    pub fn check(&self, options: &Options) -> Vec<Fault> {
        let mut faults = Vec::new();
        for stem in self.names.keys() {
            let (name, language) = stem.split_once('.').unwrap_or((stem, "sv"));
            let Some(data) = sample::of(name) else {
                continue;
            };
            let options = Options {
                language: language.to_owned(),
                ..options.clone()
            };
            if let Err(error) = self.render(name, &data, &options) {
                let line = if let crate::Error::Template { line, .. } = &error {
                    *line
                } else {
                    0
                };
                let fault = Fault {
                    file: format!("{stem}.typ"),
                    line,
                    code: error.code(),
                    message: error.to_string(),
                };
                faults.push(fault);
            }
        }
        faults
    }

    pub(crate) fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    pub(crate) fn fonts(&self) -> &FontStore {
        &self.fonts
    }

    pub(crate) fn source(&self, id: FileId) -> Option<&Source> {
        self.sources.get(&id)
    }
}

/// The file that an import, an include or a call of `json` and its like names.
fn reads(node: &SyntaxNode) -> Option<String> {
    let within = match node.kind() {
        SyntaxKind::ModuleImport | SyntaxKind::ModuleInclude => node,
        SyntaxKind::FuncCall => {
            let called = node.children().next()?;
            let loads = [
                "json", "read", "csv", "toml", "yaml", "xml", "cbor", "image", "plugin",
            ];
            if !loads.contains(&called.full_text().as_str()) {
                return None;
            }
            node.children()
                .find(|child| child.kind() == SyntaxKind::Args)?
        }
        _ => return None,
    };
    let literal = within
        .children()
        .find(|child| child.kind() == SyntaxKind::Str)?;
    Some(literal.full_text().trim_matches('"').to_owned())
}
