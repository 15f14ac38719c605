//! Instruments and scoring by region-owned tables; Hälsokurva and Stjärnprofil as data and SVG.
