//! What a browser makes of the page: headless Chromium, driven by its own WebDriver over plain HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, process};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::context::Context;
use crate::{paths, report};

/// Widths of a phone and of a desk, in CSS pixels.
const WIDTHS: [u32; 2] = [400, 1280];
const HEIGHT: u32 = 900;
/// Time for the driver to listen, and for one answer of it.
const DRIVER_LIMIT: Duration = Duration::from_secs(30);

/// Asked of the page itself: its geometry and its parts, as the browser has them.
const LOOK: &str = "
    const wide = document.documentElement.clientWidth;
    const scrolls = node => node.closest('.scroll, pre, .spoken') !== null;
    const out = [...document.body.querySelectorAll('*')].filter(node => !scrolls(node))
        .filter(node => { const box = node.getBoundingClientRect(); return box.width > 0 && (box.right > wide + 1 || box.left < -1); });
    const lengths = [...document.querySelectorAll('path.curve')].map(curve => curve.getTotalLength());
    return {
        wide, outside: out.slice(0, 5).map(node => node.tagName + '.' + node.getAttribute('class')),
        scroll: document.documentElement.scrollWidth,
        scenarios: document.querySelectorAll('article.scenario').length,
        broken: [...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).length,
        curves: lengths.length, flat: lengths.filter(length => !(length > 50)).length,
        bars: document.querySelectorAll('.bars rect').length,
        untitled: [...document.querySelectorAll('svg.chart')].filter(svg => !svg.querySelector('title') || !svg.querySelector('desc')).length,
        banner: document.querySelector('.banner').getBoundingClientRect().height,
        page: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
        loaded: performance.getEntriesByType('resource').length,
    };";

/// Width of A4 between the margins of a browser, in CSS pixels.
const PAPER_WIDTH: u32 = 718;
/// Pages of paper for the top and the machine, and for each scenario, at most.
const PAGES: (usize, usize) = (3, 2);

/// Asked of the page on paper: what is cut off there, and what it is printed on.
const PAPER: &str = "
    const cut = [...document.querySelectorAll('.scroll, pre')].filter(node => node.scrollWidth > node.clientWidth + 1
        || node.scrollHeight > node.clientHeight + 1);
    const wide = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll('table, .chart, pre, article')].filter(node => node.getBoundingClientRect().right > wide + 1);
    return {
        cut: [...cut, ...out].map(node => node.tagName + '.' + node.getAttribute('class')),
        page: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
        divisible: [...document.querySelectorAll('.charts figure')].filter(node => getComputedStyle(node).breakInside !== 'avoid').length,
    };";

/// Pages of a run that passes and of one that fails, at both widths, light and dark.
pub fn page_is_sound(context: &Context) -> Result<()> {
    let runs: [(&str, i32, &[&str]); 2] = [
        ("browser-pass", 0, &["--iterations", "100"]),
        ("browser-fail", 1, &["--iterations", "20", "--peer", "model", "--fault", "released-twice"]),
    ];
    for (name, code, options) in runs {
        let path = paths::target().join(format!("report/test-{name}.json"));
        let tool = context.xtask(["run", "--report"])?.arg(&path).args(options);
        context.must_end_with(code, tool)?;
        let report = report::read(&path)?;
        let page = path.with_extension("html");
        let mut papers = Vec::new();
        for dark in [false, true] {
            let mut browser = Browser::start(dark)?;
            for width in WIDTHS {
                let seen = browser.look(&page, width)?;
                let what = format!("{name}, {width} px, {}", if dark { "dark" } else { "light" });
                judge(&seen, report.scenarios.len()).with_context(|| format!("{what}: {seen:#}"))?;
                if width == WIDTHS[1] {
                    papers.push((seen["page"].clone(), seen["ink"].clone()));
                }
            }
            let printed = browser.on_paper(&page)?;
            judge_paper(&printed, report.scenarios.len()).with_context(|| format!("{name}: {printed:#}"))?;
            let shade = if dark { "dark" } else { "light" };
            browser.screenshot(&path.with_extension(format!("{shade}.png")))?;
            let errors = browser.errors()?;
            ensure!(errors.is_empty(), "{name}: the console has {errors:?}");
        }
        ensure!(papers[0] != papers[1], "{name}: dark looks like light: {papers:?}");
        context.say(&format!(
            "{name}: {} scenarios, sound at {WIDTHS:?} px, light and dark",
            report.scenarios.len()
        ));
    }
    Ok(())
}

fn judge(seen: &Value, scenarios: usize) -> Result<()> {
    let number = |name: &str| seen[name].as_f64().with_context(|| format!("no {name}"));
    let none = |name: &str| -> Result<()> {
        ensure!(number(name)? == 0.0, "{name}");
        Ok(())
    };
    ensure!(seen["outside"].as_array().is_some_and(Vec::is_empty), "something stands outside of the window");
    ensure!(number("scroll")? <= number("wide")? + 1.0, "the page is wider than the window");
    ensure!(number("scenarios")? == scenarios as f64, "a scenario has no section");
    ensure!(number("curves")? > 0.0 && number("bars")? > 0.0, "nothing is drawn");
    ensure!(number("banner")? > 20.0, "the timing is not to be seen");
    for name in ["broken", "flat", "untitled", "loaded"] {
        none(name)?;
    }
    Ok(())
}

/// Dark is for screens: paper is white whatever the reader's system is set to.
fn judge_paper(printed: &Value, scenarios: usize) -> Result<()> {
    ensure!(printed["cut"].as_array().is_some_and(Vec::is_empty), "something is cut off on paper");
    ensure!(
        printed["page"] == "rgb(255, 255, 255)" && printed["ink"] == "rgb(0, 0, 0)",
        "not black on white"
    );
    ensure!(printed["divisible"] == 0, "a page may end within a chart");
    let pages = printed["pages"].as_u64().context("no number of pages")?;
    let most = (PAGES.0 + PAGES.1 * scenarios) as u64;
    ensure!((1..=most).contains(&pages), "{pages} pages for {scenarios} scenarios");
    Ok(())
}

/// Pages of a PDF, each of which is an object of its own.
fn pages_of(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.match_indices("/Type /Page").filter(|(at, found)| !text[at + found.len()..].starts_with('s')).count()
}

/// A running driver with one session.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: std::path::PathBuf,
    /// What the reader's system is set to.
    dark: bool,
}

impl Browser {
    fn start(dark: bool) -> Result<Self> {
        // Free a moment ago; the driver takes no port by itself that it tells before it listens.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let profile = paths::target().join(format!("tmp/browser-{}-{port}", process::id()));
        fs::create_dir_all(&profile)?;
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver")?;
        let mut browser = Self { driver, port, session: String::new(), profile, dark };
        browser.wait_for_driver()?;
        let folder = format!("--user-data-dir={}", browser.profile.display());
        let mut arguments =
            vec!["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
        arguments.extend([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &folder,
        ]);
        let wishes = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let answer = browser.ask("POST", "/session", &wishes)?;
        let session = answer["sessionId"].as_str().context("the driver opened no session")?;
        browser.session = format!("/session/{session}");
        browser.emulate("")?;
        Ok(browser)
    }

    /// The reader's colours on this medium: `print`, or the screen by an empty name.
    fn emulate(&mut self, medium: &str) -> Result<()> {
        let scheme = if self.dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let media = json!({ "media": medium, "features": features });
        self.devtools("Emulation.setEmulatedMedia", media).map(drop)
    }

    fn wait_for_driver(&self) -> Result<()> {
        let deadline = Instant::now() + DRIVER_LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            ensure!(Instant::now() < deadline, "chromedriver does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Prints the page, and asks it what became of it.
    fn on_paper(&mut self, page: &Path) -> Result<Value> {
        self.emulate("print")?;
        let mut printed = self.ask_page(page, PAPER_WIDTH, PAPER)?;
        self.emulate("")?;
        let pdf = self.devtools("Page.printToPDF", json!({ "paperWidth": 8.27, "paperHeight": 11.69 }))?;
        let pdf = decode_base64(pdf["data"].as_str().context("no PDF")?)?;
        ensure!(pdf.starts_with(b"%PDF-"), "what was printed is no PDF");
        printed["pages"] = json!(pages_of(&pdf));
        Ok(printed)
    }

    /// Loads the page in a window of this width, and asks it how it looks.
    fn look(&mut self, page: &Path, width: u32) -> Result<Value> {
        self.ask_page(page, width, LOOK)
    }

    fn ask_page(&mut self, page: &Path, width: u32, script: &str) -> Result<Value> {
        let metrics = json!({ "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)?;
        let address = format!("file://{}", page.canonicalize()?.display());
        self.ask("POST", &format!("{}/url", self.session), &json!({ "url": address }))?;
        let script = json!({ "script": script, "args": [] });
        self.ask("POST", &format!("{}/execute/sync", self.session), &script)
    }

    fn devtools(&mut self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("POST", &format!("{}/goog/cdp/execute", self.session), &body)
    }

    fn errors(&mut self) -> Result<Vec<String>> {
        let log = self.ask("POST", &format!("{}/se/log", self.session), &json!({ "type": "browser" }))?;
        let entries = log.as_array().context("no console log")?;
        Ok(entries.iter().map(ToString::to_string).collect())
    }

    fn screenshot(&mut self, path: &Path) -> Result<()> {
        let shot = self.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true }))?;
        fs::write(path, decode_base64(shot["data"].as_str().context("no picture")?)?)?;
        Ok(())
    }

    /// One request, one connection; the driver's answers have a length.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let mut line = TcpStream::connect(("127.0.0.1", self.port))?;
        line.set_read_timeout(Some(DRIVER_LIMIT))?;
        write!(
            line,
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let (head, body) = read_answer(line).with_context(|| format!("{path}: no answer"))?;
        let body = String::from_utf8(body).context("an answer that is no text")?;
        let mut answer: Value = serde_json::from_str(&body).with_context(|| format!("{path}: {head}"))?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("{path}: {}", answer["value"]["message"]);
        }
        Ok(answer["value"].take())
    }
}

/// Head and body of an answer. The driver keeps the connection open, so the length counts.
fn read_answer(line: TcpStream) -> Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(line);
    let mut head = String::new();
    let mut length = 0;
    while reader.read_line(&mut head)? > 2 {
        let last = head.lines().next_back().unwrap_or_default();
        if let Some((name, value)) = last.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("the length of an answer")?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((head, body))
}

/// Neither the browser nor its profile stays behind.
impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.ask("DELETE", &self.session.clone(), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// A picture comes in base64.
fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut word, mut bits) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => bail!("{letter:#x} is no letter of base64"),
        };
        word = (word << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(decode_base64("aGVsbG8=").unwrap(), b"hello");
        assert_eq!(decode_base64("aGVsbG8h").unwrap(), b"hello!");
        assert!(decode_base64("a b").is_err());
    }

    #[test]
    fn paper_that_is_dark_cut_or_endless_is_not_sound() {
        let sound = json!({ "cut": [], "page": "rgb(255, 255, 255)", "ink": "rgb(0, 0, 0)", "divisible": 0, "pages": 5 });
        assert!(judge_paper(&sound, 3).is_ok());
        for (name, value) in [
            ("cut", json!(["PRE"])),
            ("page", json!("rgb(0, 0, 0)")),
            ("pages", json!(40)),
            ("divisible", json!(1)),
        ] {
            let mut printed = sound.clone();
            printed[name] = value;
            assert!(judge_paper(&printed, 3).is_err(), "{name}");
        }
        assert_eq!(pages_of(b"<< /Type /Pages >> << /Type /Page\n>> << /Type /Page /Parent 1 0 R"), 2);
    }

    #[test]
    fn a_page_that_is_wider_than_its_window_or_lacks_a_section_is_not_sound() {
        let sound = json!({ "wide": 400, "scroll": 400, "outside": [], "scenarios": 3, "curves": 2, "bars": 9, "banner": 60,
                            "broken": 0, "flat": 0, "untitled": 0, "loaded": 0 });
        assert!(judge(&sound, 3).is_ok());
        assert!(judge(&sound, 4).is_err());
        for (name, value) in
            [("scroll", json!(520)), ("outside", json!(["PRE"])), ("loaded", json!(1)), ("flat", json!(1))]
        {
            let mut seen = sound.clone();
            seen[name] = value;
            assert!(judge(&seen, 3).is_err(), "{name}");
        }
    }
}
