//! 1177 Tidbokning: crm:scheduling 1.1.
