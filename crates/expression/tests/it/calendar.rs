//! Timers and days as they are lived in Sweden.

use halsonav_domain::Timestamp;
use halsonav_expression::calendar::{
    Cycle, Duration, add_working_days, holiday, is_working_day, moment, next_working_day,
    stockholm, working_day_from,
};
use jiff::civil::{Date, date};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn durations() {
    let check = |duration: &str, from: &str, expect: &str| {
        let duration = Duration::parse(duration).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(
            duration.add(at(from), stockholm()),
            at(expect),
            "{duration:?} after {from}"
        );
    };
    check("P14D", "2026-03-01T07:00:00Z", "2026-03-15T07:00:00Z");
    check("P2W", "2026-03-01T07:00:00Z", "2026-03-15T07:00:00Z");
    check("P1Y2M3DT4H", "2026-01-01T00:00:00Z", "2027-03-04T04:00:00Z");
    check(
        "P1Y1M2W1DT1H1M1.5S",
        "2026-01-01T00:00:00Z",
        "2027-02-16T01:01:01.5Z",
    );
    check("PT0S", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    check("-P1D", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
    check("-PT90M", "2026-01-02T00:00:00Z", "2026-01-01T22:30:00Z");
    // The last night of March has 23 hours, the last of October 25.
    check("P1D", "2026-03-28T11:00:00Z", "2026-03-29T10:00:00Z");
    check("PT24H", "2026-03-28T11:00:00Z", "2026-03-29T11:00:00Z");
    check("P1D", "2026-10-24T10:00:00Z", "2026-10-25T11:00:00Z");
    check("PT24H", "2026-10-24T10:00:00Z", "2026-10-25T10:00:00Z");
    // 02:30 on 29 March does not exist: an hour later on the clock.
    check("P1D", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z");
    // 02:30 on 25 October is there twice: the first.
    check("P1D", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z");
    // The end of a month is the end of a month.
    check("P1M", "2026-01-31T11:00:00Z", "2026-02-28T11:00:00Z");
    check("P1M", "2028-01-31T11:00:00Z", "2028-02-29T11:00:00Z");
    check("P1Y", "2028-02-29T11:00:00Z", "2029-02-28T11:00:00Z");
    // Near midnight the local date counts, not the date in UTC.
    check("P1M", "2026-01-30T23:30:00Z", "2026-02-27T23:30:00Z");
}

#[test]
fn what_is_no_duration() {
    for text in [
        "",
        "P",
        "PT",
        "P1",
        "1D",
        "P1DT",
        "P1S",
        "PT1D",
        "P1.5D",
        "P1D2M",
        "P1M1Y",
        "PT1M1H",
        "P1D1D",
        "P-1D",
        "p1d",
        "P1D ago",
        "P99999999999999999999D",
        "P201Y",
        "PT0.0001S",
        "PTS",
        "P.5D",
        "PT1.S",
        "--P1D",
        "P１D",
        "14",
        "P1W2Y",
    ] {
        let fault = Duration::parse(text).expect_err(text);
        assert_eq!(fault.rule, "timer-duration", "{text}");
    }
    assert!(
        Duration::parse(&"P1D".repeat(10_000))
            .unwrap_err()
            .message
            .len()
            < 200
    );
    let end = Duration::parse("P200Y").unwrap();
    assert_eq!(end.add(Timestamp::MAX, stockholm()), Timestamp::MAX);
    assert_eq!(
        end.add_times(u64::MAX, at("2026-01-01T00:00:00Z"), stockholm()),
        Timestamp::MAX
    );
}

#[test]
fn cycles() {
    let check = |cycle: &str, anchor: &str, expect: &[Option<&str>]| {
        let cycle = Cycle::parse(cycle).unwrap_or_else(|fault| panic!("{fault}"));
        for (k, expect) in (0..).zip(expect) {
            assert_eq!(
                cycle.occurrence(k, at(anchor)),
                expect.map(at),
                "{cycle:?} number {k}"
            );
        }
    };
    const NEW_YEAR: &str = "2026-01-01T00:00:00Z";
    check(
        "R3/PT10M",
        NEW_YEAR,
        &[
            Some("2026-01-01T00:10:00Z"),
            Some("2026-01-01T00:20:00Z"),
            Some("2026-01-01T00:30:00Z"),
            None,
            None,
        ],
    );
    check("R0/PT10M", NEW_YEAR, &[None]);
    check(
        "R/P1D",
        "2026-03-28T11:00:00Z",
        &[Some("2026-03-29T10:00:00Z"), Some("2026-03-30T10:00:00Z")],
    );
    check("R-1/P2W", NEW_YEAR, &[Some("2026-01-15T00:00:00Z")]);
    check(
        "R2/2026-02-01T00:00:00Z/P1D",
        NEW_YEAR,
        &[
            Some("2026-02-01T00:00:00Z"),
            Some("2026-02-02T00:00:00Z"),
            None,
        ],
    );
    // Counted from the anchor, not from the last: the 31st comes back after February.
    check(
        "R/P1M",
        "2026-01-31T11:00:00Z",
        &[
            Some("2026-02-28T11:00:00Z"),
            Some("2026-03-31T10:00:00Z"),
            Some("2026-04-30T10:00:00Z"),
        ],
    );
    check(
        "R/2026-02-01/P1D",
        NEW_YEAR,
        &[Some("2026-01-31T23:00:00Z")],
    );
    let far = Cycle::parse("R/PT1S")
        .unwrap()
        .occurrence(u64::MAX, at(NEW_YEAR));
    assert_eq!(far, Some(Timestamp::MAX));
}

#[test]
fn what_is_no_cycle() {
    for (text, rule) in [
        ("0 0 8 * * MON", "timer-cron"),
        ("0 9 * * 1-5", "timer-cron"),
        ("@daily", "timer-cron"),
        ("", "timer-cycle"),
        ("P1D", "timer-cycle"),
        ("R3", "timer-cycle"),
        ("R3/PT0S", "timer-cycle"),
        ("R3/-P1D", "timer-cycle"),
        ("R-2/P1D", "timer-cycle"),
        ("Rx/P1D", "timer-cycle"),
        ("R99999999999/P1D", "timer-cycle"),
        ("R3/", "timer-duration"),
        ("R3/tomorrow/P1D", "timer-moment"),
        ("R3/2026-01-01/2026-02-01", "timer-duration"),
    ] {
        assert_eq!(Cycle::parse(text).expect_err(text).rule, rule, "{text}");
    }
}

#[test]
fn moments() {
    let check = |text: &str, expect: &str| {
        assert_eq!(
            moment(text).unwrap_or_else(|fault| panic!("{fault}")),
            at(expect),
            "{text}"
        );
    };
    check("2026-03-01", "2026-02-28T23:00:00Z");
    check("2026-07-01", "2026-06-30T22:00:00Z");
    check("2026-07-01T08:00", "2026-07-01T06:00:00Z");
    check("2026-07-01T08:00:00", "2026-07-01T06:00:00Z");
    check(" 2026-07-01T08:00:00.25 ", "2026-07-01T06:00:00.25Z");
    check("2026-07-01T08:00:00Z", "2026-07-01T08:00:00Z");
    check("2026-07-01T08:00:00+05:00", "2026-07-01T03:00:00Z");
    check(
        "2026-07-01T08:00+02:00[Europe/Stockholm]",
        "2026-07-01T06:00:00Z",
    );
    check(
        "2026-07-01T08:00:00@Europe/Stockholm",
        "2026-07-01T06:00:00Z",
    );
    check("2026-03-29T02:30", "2026-03-29T01:30:00Z");
    check("2026-10-25T02:30", "2026-10-25T00:30:00Z");
    for text in [
        "",
        "tomorrow",
        "2026-02-30",
        "2026-13-01",
        "08:00",
        "P1D",
        "20",
        "2026-07-01T25:00",
        "2026-07-01T08:00[Mars/Base]",
    ] {
        assert_eq!(moment(text).expect_err(text).rule, "timer-moment", "{text}");
    }
}

#[test]
fn holidays_of_2026() {
    let expect = [
        (date(2026, 1, 1), "nyårsdagen"),
        (date(2026, 1, 6), "trettondedag jul"),
        (date(2026, 4, 3), "långfredagen"),
        (date(2026, 4, 5), "påskdagen"),
        (date(2026, 4, 6), "annandag påsk"),
        (date(2026, 5, 1), "första maj"),
        (date(2026, 5, 14), "Kristi himmelsfärdsdag"),
        (date(2026, 5, 24), "pingstdagen"),
        (date(2026, 6, 6), "nationaldagen"),
        (date(2026, 6, 19), "midsommarafton"),
        (date(2026, 6, 20), "midsommardagen"),
        (date(2026, 10, 31), "alla helgons dag"),
        (date(2026, 12, 24), "julafton"),
        (date(2026, 12, 25), "juldagen"),
        (date(2026, 12, 26), "annandag jul"),
        (date(2026, 12, 31), "nyårsafton"),
    ];
    let found: Vec<_> = date(2026, 1, 1)
        .series(jiff::ToSpan::day(1))
        .take_while(|day| day.year() == 2026)
        .filter_map(|day| holiday(day).map(|name| (day, name)))
        .collect();
    assert_eq!(found, expect);
}

#[test]
fn working_days_of_each_year() {
    // Monday to Friday without holidays and eves, from printed calendars.
    for (year, expect) in [
        (2020, 252),
        (2021, 253),
        (2022, 253),
        (2023, 251),
        (2024, 251),
        (2025, 249),
        (2026, 251),
        (2027, 253),
        (2028, 251),
        (2029, 250),
        (2030, 250),
    ] {
        let count = date(year, 1, 1)
            .series(jiff::ToSpan::day(1))
            .take_while(|day| day.year() == year)
            .filter(|day| is_working_day(*day))
            .count();
        assert_eq!(count, expect, "{year}");
    }
}

#[test]
fn movable_feasts() {
    let check = |name: &str, days: &[Date]| {
        for day in days {
            assert_eq!(holiday(*day), Some(name), "{day}");
        }
    };
    check(
        "långfredagen",
        &[
            date(2020, 4, 10),
            date(2023, 4, 7),
            date(2027, 3, 26),
            date(2030, 4, 19),
        ],
    );
    check(
        "Kristi himmelsfärdsdag",
        &[
            date(2020, 5, 21),
            date(2024, 5, 9),
            date(2025, 5, 29),
            date(2029, 5, 10),
        ],
    );
    check(
        "midsommarafton",
        &[
            date(2020, 6, 19),
            date(2022, 6, 24),
            date(2026, 6, 19),
            date(2027, 6, 25),
        ],
    );
    check(
        "alla helgons dag",
        &[date(2020, 10, 31), date(2025, 11, 1), date(2027, 11, 6)],
    );
    check("pingstdagen", &[date(2025, 6, 8), date(2028, 6, 4)]);
}

#[test]
fn working_days() {
    // Friday before Whitsun to the week after; over Christmas and New Year.
    assert_eq!(next_working_day(date(2026, 4, 2)), date(2026, 4, 7));
    assert_eq!(next_working_day(date(2026, 6, 18)), date(2026, 6, 22));
    assert_eq!(next_working_day(date(2026, 12, 23)), date(2026, 12, 28));
    assert_eq!(add_working_days(date(2026, 12, 23), 3), date(2026, 12, 30));
    assert_eq!(add_working_days(date(2026, 12, 23), 4), date(2027, 1, 4));
    assert_eq!(add_working_days(date(2026, 4, 7), -1), date(2026, 4, 2));
    assert_eq!(add_working_days(date(2026, 4, 4), 0), date(2026, 4, 4));
    assert_eq!(working_day_from(date(2026, 4, 4)), date(2026, 4, 7));
    assert_eq!(working_day_from(date(2026, 4, 7)), date(2026, 4, 7));
    assert_eq!(add_working_days(Date::MAX, 5), Date::MAX);
    assert_eq!(add_working_days(Date::MIN, -5), Date::MIN);
}
