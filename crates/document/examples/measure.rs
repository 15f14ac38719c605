//! Letters a second, on one thread and on several:
//! `cargo run --release -p halsonav-document --example measure -- config/base/letters 2000`

use std::error::Error;
use std::thread;
use std::time::Instant;
use std::{env, fs};

use halsonav_document::{Options, Templates, sample};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("wanted: FOLDER [COUNT]")?;
    let count: usize = arguments.next().map_or(Ok(2000), |text| text.parse())?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "typ") {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((name, fs::read_to_string(&path)?));
        }
    }
    let begun = Instant::now();
    let templates = Templates::load(files, Vec::new()).map_err(|faults| format!("{faults:?}"))?;
    println!("load: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    for template in ["invitation", "profile", "paper-form"] {
        run(&templates, template, count, 1)?;
    }
    run(
        &templates,
        "invitation",
        count,
        thread::available_parallelism()?.get(),
    )?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"))
    {
        println!("{line}");
    }
    Ok(())
}

fn run(
    templates: &Templates,
    template: &str,
    count: usize,
    threads: usize,
) -> Result<(), Box<dyn Error>> {
    let sample = sample::of(template).ok_or("no sample")?;
    let options = Options::new("2026-03-02".parse()?);
    let begun = Instant::now();
    let made: usize = thread::scope(|scope| {
        let work = |thread: usize| {
            let (sample, options) = (sample.clone(), options.clone());
            move || {
                (0..count / threads)
                    .filter(|letter| {
                        let mut data = sample.clone();
                        // Every letter is another person's.
                        data["recipient"] = serde_json::json!([
                            format!("Person {thread} {letter}"),
                            "Gatan 1",
                            "123 45 ORTEN"
                        ]);
                        data["reference"] = format!("{thread:02}-{letter:06}").into();
                        templates.render(template, &data, &options).is_ok()
                    })
                    .count()
            }
        };
        let handles: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(work(thread)))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or(0))
            .sum()
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{template}, {threads} thread(s): {made} in {seconds:.2} s = {:.0}/s",
        made as f64 / seconds
    );
    Ok(())
}
