//! A picture of the cost of requests by the amount of data. Both axes are logarithmic, so a cost that grows with the data is a
//! rising line, and one that does not is a level line.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// The distance between the picture's edge and the axes.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Colours that people with colour blindness can distinguish (Okabe and Ito).
const COLOURS: [&str; 8] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999"];

/// The points of each row: the number of users or members, and the CPU milliseconds per request.
#[derive(Default)]
pub(crate) struct Curves(Vec<(String, Vec<(f64, f64)>)>);

impl Curves {
    pub(crate) fn add(&mut self, name: &str, size: usize, cpu: f64) {
        let point = (size as f64, cpu.max(0.001));
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, points)) => points.push(point),
            None => self.0.push((name.to_owned(), vec![point])),
        }
    }

    /// Draws the picture as SVG.
    pub(crate) fn drawn(&self) -> String {
        let points = || self.0.iter().flat_map(|(_, points)| points);
        let decades = |value: fn(&(f64, f64)) -> f64| {
            let logs = points().map(value).map(f64::log10);
            let (least, most) = logs.fold((f64::MAX, f64::MIN), |(least, most), log| (least.min(log), most.max(log)));
            if least > most { (0.0, 1.0) } else { (least.floor(), most.ceil().max(least.floor() + 1.0)) }
        };
        let (across, up) = (decades(|point| point.0), decades(|point| point.1));
        let x = |value: f64| LEFT + (value.log10() - across.0) / (across.1 - across.0) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - (value.log10() - up.0) / (up.1 - up.0) * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"22\">CPU milliseconds of the server per request, by users (or members of the group); {}</text>\n",
            machine()
        );
        for decade in up.0 as i32..=up.1 as i32 {
            let (at, end) = (y(10_f64.powi(decade)), WIDTH - RIGHT);
            let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ddd\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                at + 4.0,
                10_f64.powi(decade)
            );
        }
        for decade in across.0 as i32..=across.1 as i32 {
            let (at, end) = (x(10_f64.powi(decade)), HEIGHT - BOTTOM);
            let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{end}\" stroke=\"#ddd\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                end + 20.0,
                10_f64.powi(decade)
            );
        }
        for (number, (name, points)) in self.0.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let line: Vec<String> =
                points.iter().map(|(size, cpu)| format!("{:.1},{:.1}", x(*size), y(*cpu))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                line.join(" ")
            );
            for (size, cpu) in points {
                let _ =
                    writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(*size), y(*cpu));
            }
            let (at, row) = (WIDTH - RIGHT + 14.0, TOP + 10.0 + 22.0 * number as f64);
            let _ =
                writeln!(svg, "<rect x=\"{at}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>", row - 10.0);
            let _ = writeln!(svg, "<text x=\"{}\" y=\"{row}\">{name}</text>", at + 18.0);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The processor, as the system names it.
fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let escaped = name.unwrap_or("an unnamed processor").replace('&', "&amp;").replace('<', "&lt;");
    format!("{count} × {escaped}")
}
