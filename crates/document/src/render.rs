//! Template and data → PDF.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::Date;
use serde_json::{Map, Value};
use typst::diag::{SourceDiagnostic, Warned};
use typst::ecow::EcoVec;
use typst::foundations::{Bytes, Datetime, Smart};
use typst::syntax::DiagSpanKind;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::data::{censor, prepare};
use crate::error::Error;
use crate::templates::Templates;
use crate::world::{DATA, Desk, file_id};

/// Results of layout are remembered between letters; after so many the old ones are forgotten.
const FORGET_EVERY: usize = 8;
static RENDERED: AtomicUsize = AtomicUsize::new(0);

/// How a document is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The date of the letter, in the text and in the file.
    pub date: Date,
    /// `sv`, `sv-latt`, `en` …; falls back to `sv`.
    pub language: String,
    /// What the file promises.
    pub standard: Standard,
    /// More pages than these are an error.
    pub max_pages: usize,
}

impl Options {
    /// In Swedish, for archive and accessibility, at most ten pages.
    #[must_use]
    pub fn new(date: Date) -> Self {
        Self {
            date,
            language: "sv".to_owned(),
            standard: Standard::default(),
            max_pages: 10,
        }
    }
}

/// What a file promises to be. All of them are tagged and embed their fonts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standard {
    /// PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1) at once.
    #[default]
    PdfA2aPdfUa1,
    /// PDF/A-2b and PDF/UA-1, for a printer that knows level b only.
    PdfA2bPdfUa1,
    /// PDF 1.7 and no more.
    Plain,
}

impl Standard {
    fn list(self) -> &'static [PdfStandard] {
        match self {
            Self::PdfA2aPdfUa1 => &[PdfStandard::A_2a, PdfStandard::Ua_1],
            Self::PdfA2bPdfUa1 => &[PdfStandard::A_2b, PdfStandard::Ua_1],
            Self::Plain => &[PdfStandard::V_1_7],
        }
    }
}

/// A finished document.
#[derive(Clone, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its pages.
    pub pages: usize,
}

impl fmt::Debug for Pdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pdf({} pages, redacted)", self.pages)
    }
}

impl Templates {
    /// Sets a template with its data. Equal arguments give equal bytes.
    ///
    /// # Errors
    /// [`Error`]; none of its texts holds anything of the data.
    pub fn render(&self, template: &str, data: &Value, options: &Options) -> Result<Pdf, Error> {
        let missing = || {
            Error::NoTemplate(
                template
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(64)
                    .collect(),
            )
        };
        let (_, main) = self.find(template, &options.language).ok_or_else(missing)?;
        let data_id = file_id(DATA).ok_or_else(missing)?;
        let data = prepare(data, options.date, &options.language)?;
        let json =
            serde_json::to_vec(&data).map_err(|_| Error::Data("it cannot be written as JSON"))?;
        let desk = Desk {
            templates: self,
            main,
            data_id,
            data: Bytes::new(json),
            today: day(options.date),
        };
        // The typesetter is large and not ours: should it break down, it takes one letter with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.set(template, &desk, &data, options)
        }));
        if RENDERED.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            typst::comemo::evict(1);
        }
        let pdf = outcome.unwrap_or_else(|_| Err(Error::Broken(template.to_owned())))?;
        if pdf.pages > options.max_pages {
            return Err(Error::Pages {
                template: template.to_owned(),
                pages: pdf.pages,
            });
        }
        Ok(pdf)
    }

    fn set(
        &self,
        template: &str,
        desk: &Desk<'_>,
        data: &Map<String, Value>,
        options: &Options,
    ) -> Result<Pdf, Error> {
        let Warned { output, warnings } = typst::compile(desk);
        if !warnings.is_empty() {
            tracing::debug!(template, warnings = warnings.len(), "typesetter warned");
        }
        let document = output.map_err(|errors| self.fault(template, &errors, data))?;
        let standards =
            PdfStandards::new(options.standard.list()).map_err(|error| Error::Standard {
                template: template.to_owned(),
                message: error.message().to_string(),
            })?;
        let pdf_options = PdfOptions {
            ident: Smart::Auto,
            creator: Smart::Custom(Some("Hälsonav".to_owned())),
            timestamp: desk.today.map(Timestamp::new_utc),
            standards,
            ..PdfOptions::default()
        };
        let bytes = typst_pdf::pdf(&document, &pdf_options).map_err(|errors| {
            let message = errors
                .first()
                .map(|error| error.message.as_str())
                .unwrap_or_default();
            Error::Standard {
                template: template.to_owned(),
                message: reason(message, data),
            }
        })?;
        Ok(Pdf {
            bytes,
            pages: document.pages().len(),
        })
    }

    /// The first diagnostic, as an error of ours. A template raises one of our codes by
    /// `panic("HUB-DOCUMENT-011")`.
    fn fault(
        &self,
        template: &str,
        errors: &EcoVec<SourceDiagnostic>,
        data: &Map<String, Value>,
    ) -> Error {
        let coded = errors.iter().find_map(|error| coded(&error.message));
        if let Some(error) = coded {
            return error;
        }
        let Some(first) = errors.first() else {
            return Error::Broken(template.to_owned());
        };
        let source = first.span.id().and_then(|id| self.source(id));
        let text = source.map(|source| source.text()).unwrap_or_default();
        let range = match (first.span.get(), source) {
            (DiagSpanKind::Number { num, sub_range, .. }, Some(source)) => {
                source.range(num, sub_range)
            }
            (DiagSpanKind::Range { range, .. }, _) => Some(range),
            _ => None,
        };
        let line = range
            .zip(source)
            .and_then(|(range, source)| source.lines().byte_to_line(range.start));
        let file = first
            .span
            .id()
            .map(|id| id.get().vpath().get_without_slash().to_owned());
        Error::Template {
            file: file.unwrap_or_else(|| template.to_owned()),
            line: line.map_or(0, |line| line + 1),
            message: censor(&first.message, text, data),
        }
    }
}

/// What the exporter complains of, up to where it begins to quote the text itself.
fn reason(message: &str, data: &Map<String, Value>) -> String {
    if message.contains("could not be displayed") {
        return "a character is in none of the fonts".to_owned();
    }
    censor(
        message.split(['"', '`']).next().unwrap_or_default(),
        "",
        data,
    )
    .trim_end()
    .to_owned()
}

fn coded(message: &str) -> Option<Error> {
    let code = message.split("HUB-DOCUMENT-").nth(1)?;
    match code.get(..3)? {
        "010" => Some(Error::AddressLines),
        "011" => Some(Error::AddressSize),
        "012" => Some(Error::SenderSize),
        "013" => {
            let key = code.get(3..)?.trim().trim_end_matches('"');
            Some(Error::Missing(
                key.chars()
                    .filter(|c| c.is_ascii_alphanumeric() || *c == '.')
                    .take(64)
                    .collect(),
            ))
        }
        _ => None,
    }
}

fn day(date: Date) -> Option<Datetime> {
    let (month, day) = (
        u8::try_from(date.month()).ok()?,
        u8::try_from(date.day()).ok()?,
    );
    Datetime::from_ymd_hms(i32::from(date.year()), month, day, 0, 0, 0)
}
