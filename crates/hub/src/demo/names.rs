//! Names and places to draw from. Common ones, so that nobody in particular is meant.

/// Given names of women.
pub const WOMEN: &[&str] = &[
    "Anna", "Eva", "Maria", "Karin", "Kristina", "Lena", "Sara", "Emma", "Kerstin", "Marie", "Ingrid", "Malin", "Jenny",
    "Åsa", "Ulla", "Annika", "Birgitta", "Gunilla", "Linda", "Elin", "Amina", "Fatima", "Elżbieta", "Zoë", "Märta", "Siv-Inger",
];
/// Given names of men.
pub const MEN: &[&str] = &[
    "Lars", "Mikael", "Anders", "Johan", "Erik", "Per", "Karl", "Peter", "Jan", "Thomas", "Daniel", "Fredrik", "Hans",
    "Björn", "Göran", "Håkan", "Östen", "Mohammed", "Ali", "José", "Jürgen", "Sven-Åke", "Bo", "Nils", "Oskar", "Yngve",
];
/// Surnames.
pub const SURNAMES: &[&str] = &[
    "Andersson", "Johansson", "Karlsson", "Nilsson", "Eriksson", "Larsson", "Olsson", "Persson", "Svensson", "Gustafsson",
    "Pettersson", "Jonsson", "Jansson", "Hansson", "Bengtsson", "Lindberg", "Lindström", "Åberg", "Öberg", "Sjögren", "Håkansson",
    "Ali", "Nguyễn", "Kovačević", "Müller", "García", "af Ekenstam", "von Platen", "De la Cruz", "Ögren",
];
/// Longer than any address window likes.
pub const LONG_GIVEN: &str = "Maria Magdalena Wilhelmina Charlotta Josefina";
/// Longer than sixty characters.
pub const LONG_SURNAME: &str = "von Hohenzollern-Sigmaringen af Ridderstråhle-Lagerkrantz Östergren";
/// Streets.
pub const STREETS: &[&str] = &[
    "Storgatan", "Skolvägen", "Björkvägen", "Kyrkogatan", "Järnvägsgatan", "Ågatan", "Parkgatan", "Ringvägen", "Ängsvägen", "Östra Långgatan",
];
/// Postal codes with their towns.
pub const CITIES: &[(&str, &str)] = &[
    ("55316", "Jönköping"), ("57131", "Nässjö"), ("33130", "Värnamo"), ("56131", "Huskvarna"), ("57331", "Tranås"), ("57431", "Vetlanda"), ("57531", "Eksjö"),
];
