// SPDX-License-Identifier: GPL-2.0

//! Draws the charts from `summary.csv`.
//!
//! The same data give the same bytes, so the charts that are kept in
//! `bench/figures/` can be compared with their data.

use std::fs;
use std::path::Path;

use super::svg::{grouped, Chart, LogAxis, WIDTH};
use crate::Outcome;

/// The peers, as curves and bars: name in the data, which is also the CSS class,
/// and label.
const SERIES: [(&str, &str); 5] = [
    ("ours", "rust_eventfs, client"),
    ("mirror", "rust_eventfs, mirror"),
    ("kernel", "kernel's eventfs"),
    ("debugfs", "debugfs"),
    ("sysfs", "sysfs"),
];

/// The left and the right edge of the plot area.
const PLOT_X: (f64, f64) = (112.0, 564.0);
/// The upper edge of the plot area.
const PLOT_TOP: f64 = 76.0;
/// The height of the plot area of curves.
const PLOT_HEIGHT: f64 = 264.0;
/// The distance of two bars.
const BAR_PITCH: f64 = 34.0;
/// The least distance of two labels.
const LABEL_PITCH: f64 = 18.0;

/// One line of `summary.csv`.
struct Entry {
    /// The row of the table.
    row: String,
    /// The peer.
    peer: String,
    /// The number of children.
    size: usize,
    /// The median.
    median: f64,
    /// The least sample.
    min: f64,
    /// The greatest sample.
    max: f64,
}

/// The lines of `summary.csv`.
struct Summary(Vec<Entry>);

impl Summary {
    /// Parses the file. Its first line names the columns.
    fn parse(text: &str) -> Outcome<Self> {
        let parse_line = |line: &str| -> Outcome<Entry> {
            let fields: Vec<&str> = line.split(',').collect();
            let [row, peer, size, median, min, max, _count] = fields.as_slice() else {
                return Err(format!("malformed line in summary.csv: {line}").into());
            };
            let median: f64 = median.parse()?;
            // A bound that is not known is empty.
            let bound = |field: &str| match field {
                "" => Ok(median),
                field => field.parse(),
            };
            Ok(Entry {
                row: row.to_string(),
                peer: peer.to_string(),
                size: size.parse()?,
                median,
                min: bound(min)?,
                max: bound(max)?,
            })
        };
        let lines = text.lines().skip(1).map(parse_line);
        Ok(Self(lines.collect::<Outcome<_>>()?))
    }

    /// The entries of a curve, by size.
    fn curve(&self, row: &str, peer: &str) -> Vec<&Entry> {
        let wanted = |entry: &&Entry| entry.row == row && entry.peer == peer;
        let mut curve: Vec<&Entry> = self.0.iter().filter(wanted).collect();
        curve.sort_by_key(|entry| entry.size);
        curve
    }

    /// The unit of times.
    fn unit(&self) -> &'static str {
        if self.curve("clock", "instructions").is_empty() {
            "nanoseconds"
        } else {
            "guest instructions"
        }
    }

    /// The number of repetitions, in words.
    fn repetitions(&self) -> String {
        match self.curve("repetitions", "").first() {
            Some(entry) => format!("median of {} repetitions", entry.median),
            None => "median".to_string(),
        }
    }
}

/// Draws the points of a curve, the range of each, and the line through them.
fn draw_curve(
    chart: &mut Chart,
    class: &str,
    curve: &[&Entry],
    axes: (&LogAxis, &LogAxis),
) -> Outcome {
    let (x_axis, y_axis) = axes;
    let mut points = Vec::new();
    for entry in curve {
        let (x, y) = (x_axis.at(entry.size as f64), y_axis.at(entry.median));
        points.push((x, y));
        // Rings leave the points of another curve visible.
        match class {
            "sysfs" | "mirror" => chart.circle(&format!("{class} ring"), x, y, 6.0)?,
            _ => chart.circle(class, x, y, 3.5)?,
        }
        let (min, max) = (y_axis.at(entry.min), y_axis.at(entry.max));
        // A shorter range is inside the point.
        if min - max > 7.0 {
            chart.line(class, (x, min), (x, max))?;
        }
    }
    chart.polyline(&format!("{class} curve"), &points)
}

/// Moves labels down where they would overlap; returns their coordinates.
fn spread_labels(ends: &mut [(f64, f64, &str, &str)]) -> Vec<f64> {
    ends.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut least = f64::MIN;
    ends.iter()
        .map(|&(_, y, _, _)| {
            let y = y.max(least);
            least = y + LABEL_PITCH;
            y
        })
        .collect()
}

/// A cost against the size of the directory. `None` if no peer was measured at
/// two sizes.
fn curves(summary: &Summary, row: &str, title: &str, note: &str) -> Outcome<Option<String>> {
    let curves = SERIES.map(|(peer, label)| (summary.curve(row, peer), label, peer));
    if curves.iter().all(|(curve, _, _)| curve.len() < 2) {
        return Ok(None);
    }
    let entries = curves.iter().flat_map(|(curve, _, _)| curve);
    let bottom = PLOT_TOP + PLOT_HEIGHT;
    let x_axis = LogAxis::new(entries.clone().map(|entry| entry.size as f64), PLOT_X);
    let y_axis = LogAxis::new(
        entries.flat_map(|entry| [entry.min, entry.max]),
        (bottom, PLOT_TOP),
    );
    let note = format!("{note}; {}", summary.repetitions());
    let mut chart = Chart::new(bottom + 64.0, title, &note)?;
    chart.axes(
        &x_axis,
        &y_axis,
        "children of the directory (log scale)",
        &format!("{} per look-up (log scale)", summary.unit()),
    )?;
    let mut ends = Vec::new();
    // Ours comes last, over the others.
    for (curve, label, class) in curves.iter().rev() {
        draw_curve(&mut chart, class, curve, (&x_axis, &y_axis))?;
        if let Some(last) = curve.last() {
            let (x, y) = (x_axis.at(last.size as f64), y_axis.at(last.median));
            ends.push((x, y, *label, *class));
        }
    }
    let places = spread_labels(&mut ends);
    for ((x, y, label, class), place) in ends.into_iter().zip(places) {
        let edge = PLOT_X.1 + 14.0;
        chart.line(&format!("{class} leader"), (x, y), (edge, place))?;
        chart.rect(class, edge, place - 4.0, 8.0, 8.0)?;
        chart.text(edge + 16.0, place + 4.5, "", label)?;
    }
    Ok(Some(chart.finish()))
}

/// Metadata bytes of a directory, at the largest size that most peers have.
/// `None` if there are no two peers.
fn memory(summary: &Summary) -> Outcome<Option<String>> {
    let at = |size: usize| -> Vec<(f64, &str, &str)> {
        SERIES
            .iter()
            .filter_map(|&(peer, label)| {
                let curve = summary.curve("metadata", peer);
                let entry = curve.into_iter().find(|entry| entry.size == size)?;
                Some((entry.median, label, peer))
            })
            .collect()
    };
    let sizes = summary.0.iter().filter(|entry| entry.row == "metadata");
    let Some(size) = sizes
        .map(|entry| entry.size)
        .max_by_key(|&size| (at(size).len(), size))
    else {
        return Ok(None);
    };
    let bars = at(size);
    if bars.len() < 2 {
        return Ok(None);
    }
    let bottom = PLOT_TOP + BAR_PITCH * bars.len() as f64;
    let note = format!(
        "{} directories of 6 files, names of 12 bytes; {}",
        grouped(size as f64),
        summary.repetitions()
    );
    let title = "Memory for the metadata of one event directory";
    let mut chart = Chart::new(bottom + 64.0, title, &note)?;
    let (left, right) = (170.0, WIDTH - 80.0);
    let most = bars.iter().map(|bar| bar.0).fold(1.0, f64::max);
    let step = 10_f64.powf(most.log10().floor());
    let scale = (right - left) / (most / step).ceil() / step;
    for tick in 0..=(most / step).ceil() as usize {
        let value = tick as f64 * step;
        let x = left + value * scale;
        chart.line("grid", (x, PLOT_TOP), (x, bottom))?;
        chart.text(x, bottom + 20.0, "text-anchor=\"middle\"", &grouped(value))?;
    }
    for (index, (value, label, class)) in bars.into_iter().enumerate() {
        let top = PLOT_TOP + BAR_PITCH * index as f64 + 7.0;
        let width = value * scale;
        chart.rect(class, left, top, width, BAR_PITCH - 14.0)?;
        chart.text(left - 10.0, top + 14.5, "text-anchor=\"end\"", label)?;
        chart.text(left + width + 8.0, top + 14.5, "", &grouped(value))?;
    }
    chart.line("axis", (left, PLOT_TOP), (left, bottom))?;
    let middle = (left + right) / 2.0;
    chart.text(
        middle,
        bottom + 44.0,
        "text-anchor=\"middle\"",
        "bytes per directory",
    )?;
    Ok(Some(chart.finish()))
}

/// All charts: file names, and contents if there are enough data.
fn charts(summary: &str) -> Outcome<[(&'static str, Option<String>); 3]> {
    let summary = Summary::parse(summary)?;
    let cold = curves(
        &summary,
        "cold",
        "Cold look-up of one name",
        "stat() after all caches were dropped (debugfs keeps its dentries)",
    )?;
    let missing = curves(
        &summary,
        "missing",
        "Look-up of a missing name",
        "stat() after all caches were dropped",
    )?;
    Ok([
        ("lookup-cold.svg", cold),
        ("lookup-missing.svg", missing),
        ("memory.svg", memory(&summary)?),
    ])
}

/// Draws the charts of `summary.csv` in a folder into that folder. Removes a
/// chart for which there are not enough data.
pub fn draw(folder: &Path) -> Outcome {
    let file = folder.join("summary.csv");
    let summary =
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    for (name, svg) in charts(&summary)? {
        let file = folder.join(name);
        match svg {
            Some(svg) => fs::write(file, svg)?,
            None if file.exists() => fs::remove_file(file)?,
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The charts in `bench/figures/` are those of the data there.
    #[test]
    fn kept_charts_agree_with_their_data() -> Outcome {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../figures");
        for (name, svg) in charts(&fs::read_to_string(folder.join("summary.csv"))?)? {
            let kept = fs::read_to_string(folder.join(name)).ok();
            assert!(
                kept == svg,
                "{name} does not agree with summary.csv: make figures"
            );
        }
        Ok(())
    }

    #[test]
    fn labels_do_not_overlap() {
        let mut ends = [
            (0.0, 11.0, "b", ""),
            (0.0, 10.0, "a", ""),
            (0.0, 90.0, "c", ""),
        ];
        assert_eq!(spread_labels(&mut ends), [10.0, 10.0 + LABEL_PITCH, 90.0]);
    }

    #[test]
    fn empty_data_give_no_charts() -> Outcome {
        let charts = charts("row,who,size,median,min,max,samples\n")?;
        assert!(charts.iter().all(|(_, svg)| svg.is_none()));
        Ok(())
    }
}
