// SPDX-License-Identifier: GPL-2.0

//! Parts of a chart as SVG: text, lines, axes. Each chart paints its own
//! background and has colours for both schemes of a browser.

use std::fmt::Write as _;

use crate::Outcome;

/// The width of each chart.
pub const WIDTH: f64 = 760.0;

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

/// A number with a comma after each three digits.
pub fn grouped(value: f64) -> String {
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
pub struct LogAxis {
    /// Decimal logarithms of the ends.
    decades: (f64, f64),
    /// Coordinates of the ends.
    pub span: (f64, f64),
}

impl LogAxis {
    /// An axis of whole decades that covers `values`, of which there is one.
    pub fn new(values: impl Iterator<Item = f64> + Clone, span: (f64, f64)) -> Self {
        let low = values.clone().fold(f64::MAX, f64::min).log10().floor();
        let high = values.fold(f64::MIN, f64::max).log10().ceil();
        Self {
            decades: (low, high.max(low + 1.0)),
            span,
        }
    }

    /// The coordinate of a value.
    pub fn at(&self, value: f64) -> f64 {
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
pub struct Chart(String);

impl Chart {
    /// A chart with a title, and below it a line about the measurement.
    pub fn new(height: f64, title: &str, note: &str) -> Outcome<Self> {
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
    pub fn text(&mut self, x: f64, y: f64, attributes: &str, text: &str) -> Outcome {
        let space = if attributes.is_empty() { "" } else { " " };
        Ok(writeln!(
            self.0,
            "<text x=\"{x:.1}\" y=\"{y:.1}\"{space}{attributes}>{text}</text>"
        )?)
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) -> Outcome {
        let ((x1, y1), (x2, y2)) = (from, to);
        Ok(writeln!(
            self.0,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        )?)
    }

    /// A rectangle.
    pub fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) -> Outcome {
        Ok(writeln!(
            self.0,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>"
        )?)
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, x: f64, y: f64, radius: f64) -> Outcome {
        Ok(writeln!(
            self.0,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>"
        )?)
    }

    /// A line through points.
    pub fn polyline(&mut self, class: &str, points: &[(f64, f64)]) -> Outcome {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let points = points.join(" ");
        Ok(writeln!(
            self.0,
            "<polyline class=\"{class}\" points=\"{points}\"/>"
        )?)
    }

    /// The finished SVG.
    pub fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    /// The grid, the numbers of both axes and their titles.
    pub fn axes(
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
