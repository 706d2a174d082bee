// SPDX-License-Identifier: GPL-2.0

//! Draws the charts from `summary.csv`.
//!
//! The same data give the same bytes, so the charts that are kept in
//! `bench/figures/` can be compared with their data. Each SVG paints its own
//! background and has colours for both schemes of a browser.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Outcome;

/// The peers, as curves and bars: name in the data, label, CSS class.
const SERIES: [(&str, &str, &str); 5] = [
    ("ours", "rust_eventfs, client", "ours"),
    ("mirror", "rust_eventfs, mirror", "mirror"),
    ("kernel", "kernel's eventfs", "kernel"),
    ("debugfs", "debugfs", "debugfs"),
    ("sysfs", "sysfs", "sysfs"),
];

/// The width of each chart.
const WIDTH: f64 = 760.0;
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

/// Colours and fonts. Okabe and Ito's palette, lighter on a dark background.
const STYLE: &str = "\
text { font-family: sans-serif; font-size: 13px; fill: #1f2328; stroke: none }
.title { font-size: 16px; font-weight: bold }
.note { fill: #59636e; font-size: 12px }
.background { fill: #ffffff }
.grid { stroke: #d9dee3; stroke-width: 1 }
.axis { stroke: #59636e; stroke-width: 1 }
.ours { stroke: #d55e00; fill: #d55e00 }
.mirror { stroke: #b07800; fill: #b07800 }
.kernel { stroke: #0072b2; fill: #0072b2 }
.debugfs { stroke: #008060; fill: #008060 }
.sysfs { stroke: #a8478a; fill: #a8478a }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.note { fill: #9ba5b0 }
.background { fill: #0d1117 }
.grid { stroke: #2b323a }
.axis { stroke: #9ba5b0 }
.ours { stroke: #ff8a3d; fill: #ff8a3d }
.mirror { stroke: #e6b84a; fill: #e6b84a }
.kernel { stroke: #56b4e9; fill: #56b4e9 }
.debugfs { stroke: #3ecf9f; fill: #3ecf9f }
.sysfs { stroke: #e08cc0; fill: #e08cc0 }
}
.curve { fill: none; stroke-width: 2.5 }
.curve.mirror { stroke-dasharray: 7 4 }
.ring { fill: none; stroke-width: 2 }
.leader { fill: none; stroke-width: 1; stroke-dasharray: 1 3 }
";

/// One line of `summary.csv`.
struct Entry {
    row: String,
    peer: String,
    size: usize,
    median: f64,
    min: f64,
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

/// A number with a comma after each three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A logarithmic axis: maps values to coordinates.
struct LogAxis {
    /// Decimal logarithms of the ends.
    decades: (f64, f64),
    /// Coordinates of the ends.
    span: (f64, f64),
}

impl LogAxis {
    /// An axis of whole decades that covers `values`, of which there is one.
    fn new(values: impl Iterator<Item = f64> + Clone, span: (f64, f64)) -> Self {
        let low = values.clone().fold(f64::MAX, f64::min).log10().floor();
        let high = values.fold(f64::MIN, f64::max).log10().ceil();
        Self {
            decades: (low, high.max(low + 1.0)),
            span,
        }
    }

    /// The coordinate of a value.
    fn at(&self, value: f64) -> f64 {
        let (low, high) = self.decades;
        let (start, end) = self.span;
        start + (value.log10() - low) / (high - low) * (end - start)
    }

    /// The powers of ten on the axis.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.decades;
        (low as i32..=high as i32).map(|power| 10_f64.powi(power))
    }
}

/// An SVG while it is built.
struct Chart(String);

impl Chart {
    /// A chart with a title, and below it a line about the measurement.
    fn new(height: f64, title: &str, note: &str) -> Outcome<Self> {
        let mut svg = String::new();
        write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"background\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n"
        )?;
        let mut chart = Self(svg);
        chart.text(20.0, 30.0, "class=\"title\"", title)?;
        chart.text(20.0, 52.0, "class=\"note\"", note)?;
        Ok(chart)
    }

    /// Text at a point.
    fn text(&mut self, x: f64, y: f64, attributes: &str, text: &str) -> Outcome {
        let space = if attributes.is_empty() { "" } else { " " };
        Ok(writeln!(
            self.0,
            "<text x=\"{x:.1}\" y=\"{y:.1}\"{space}{attributes}>{text}</text>"
        )?)
    }

    /// A straight line.
    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) -> Outcome {
        let ((x1, y1), (x2, y2)) = (from, to);
        Ok(writeln!(
            self.0,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        )?)
    }

    /// A rectangle.
    fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) -> Outcome {
        Ok(writeln!(
            self.0,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>"
        )?)
    }

    /// The finished SVG.
    fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    /// The grid and the numbers of both axes, and their titles.
    fn axes(
        &mut self,
        x_axis: &LogAxis,
        y_axis: &LogAxis,
        x_title: &str,
        y_title: &str,
    ) -> Outcome {
        let (left, right) = x_axis.span;
        let (bottom, top) = y_axis.span;
        for tick in y_axis.ticks() {
            let y = y_axis.at(tick);
            self.line("grid", (left, y), (right, y))?;
            self.text(left - 8.0, y + 4.5, "text-anchor=\"end\"", &grouped(tick))?;
        }
        for tick in x_axis.ticks() {
            let x = x_axis.at(tick);
            self.line("grid", (x, bottom), (x, top))?;
            self.text(x, bottom + 20.0, "text-anchor=\"middle\"", &grouped(tick))?;
        }
        self.line("axis", (left, bottom), (right, bottom))?;
        self.line("axis", (left, bottom), (left, top))?;
        let middle = (left + right) / 2.0;
        self.text(middle, bottom + 44.0, "text-anchor=\"middle\"", x_title)?;
        let middle = (bottom + top) / 2.0;
        let turned = format!("text-anchor=\"middle\" transform=\"rotate(-90 24 {middle:.1})\"");
        self.text(24.0, middle, &turned, y_title)
    }

    /// The points of a curve, and the line through them.
    fn curve(&mut self, class: &str, curve: &[&Entry], axes: (&LogAxis, &LogAxis)) -> Outcome {
        let (x_axis, y_axis) = axes;
        let mut points = String::new();
        for entry in curve {
            let (x, y) = (x_axis.at(entry.size as f64), y_axis.at(entry.median));
            write!(points, " {x:.1},{y:.1}")?;
            // Rings leave the points of another curve visible.
            let (class, radius) = match class {
                "sysfs" | "mirror" => (format!("{class} ring"), 6.0),
                _ => (class.to_string(), 3.5),
            };
            writeln!(
                self.0,
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>"
            )?;
            let (min, max) = (y_axis.at(entry.min), y_axis.at(entry.max));
            // A shorter range is inside the point.
            if min - max > 7.0 {
                self.line(&class, (x, min), (x, max))?;
            }
        }
        Ok(writeln!(
            self.0,
            "<polyline class=\"{class} curve\" points=\"{}\"/>",
            points.trim_start()
        )?)
    }
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
    let curves = SERIES.map(|(peer, label, class)| (summary.curve(row, peer), label, class));
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
        chart.curve(class, curve, (&x_axis, &y_axis))?;
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
            .filter_map(|&(peer, label, class)| {
                let curve = summary.curve("metadata", peer);
                let entry = curve.into_iter().find(|entry| entry.size == size)?;
                Some((entry.median, label, class))
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
    fn numbers_are_grouped() {
        for (value, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (1e6, "1,000,000"),
        ] {
            assert_eq!(grouped(value), text);
        }
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
