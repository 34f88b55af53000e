import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { between, createFindings, type GivenFindings } from "../unit/support/findings";
import { renderPage } from "../unit/support/python";
import { Chromium } from "./chromium";

/**
 * The page of playbooks/verify.yml as a browser shows it. With REPORT_PICTURES, the name of a directory, its pictures stay there
 * to be looked at; docs/report.png is the upper part of 3-light-900.png.
 */
const test = suite("the page of verify.yml in a browser");
const kept = process.env["REPORT_PICTURES"];
let directory: string;
let chromium: Chromium;

test.before(async () => {
  directory = kept ?? mkdtempSync(join(tmpdir(), "apollo-weave-report-"));
  mkdirSync(directory, { recursive: true });
  chromium = await Chromium.start();
});
test.after(async () => {
  await chromium.stop();
  if (kept === undefined) rmSync(directory, { recursive: true });
});

const longName = (number: number): string => `ip-10-0-${number}-12.eu-west-1.compute.internal`;
const services = (number: number): object[] => [
  { name: `api-${number}`, address: `10.2.${number}.1`, pid: 7, service: "api", port: "8080" },
  {
    name: `web-${number}`,
    address: `10.2.${number}.2`,
    pid: 8,
    service: "web",
    ports: "8080:80/tcp,8080:80/tcp,443/tcp",
  },
];
const longest = "a-name-of-the-length-that-docker-has-no-limit-for".repeat(2);
const many = (number: number): object => ({
  containers: [
    ...services(number),
    { name: longest, address: `10.2.${number}.3`, pid: 9, service: longest, ports: "1/udp,2/tcp,3/tcp,4/tcp,5/tcp" },
  ],
  others:
    number === 2
      ? Array.from({ length: 7 }, (_, index) => ({ name: `job-${index}`, address: `10.2.2.${index + 4}`, pid: 9 }))
      : [],
  containers_total: number === 2 ? 25 : 3,
  off_network: number === 3 ? ["old"] : [],
  ...(number === 4 && { containers: [], containers_total: 0 }),
});
const PAGES: Record<string, GivenFindings> = {
  "1": { hosts: 1 },
  "3": { hosts: 3, blocked: between(1, 2), more: (number) => ({ containers: services(number) }) },
  "5-services": { hosts: 5, containers: 0, off: [5], more: many },
  "10": {
    hosts: 10,
    containers: 5,
    off: [8],
    blocked: (from, to, container) => between(2, 5)(from, to) || (from !== 1 && container === "cache-4"),
  },
  "3-encrypted": { hosts: 3, blocked: between(1, 2), encrypted: true },
  "8-encrypted": { hosts: 8, off: [5], encrypted: true },
  "12-long": { hosts: 12, containers: 1, name: longName, blocked: (from, to) => from === 1 && to === 7 },
  "30": { hosts: 30, name: longName, blocked: (from, to) => from === 7 || to === 7 || (from === 20 && to === 4) },
  "100": { hosts: 100, off: [70], blocked: (from, to) => from === 33 || to === 33 || between(7, 60)(from, to) },
};

/** Texts of the drawing that overlap or leave it, texts that do not fit their cells, and a page that is wider than the window. */
const UGLY = `(() => {
  const ugly = [];
  const drawing = document.querySelector(".drawing");
  const sides = drawing.getBoundingClientRect();
  const texts = [...drawing.querySelectorAll("text")].filter((text) => text.textContent.trim() !== "");
  // Turned names have boxes that say nothing; their circle keeps them apart.
  const boxes = texts.map((text) => ({ text: text.textContent, turned: text.hasAttribute("transform"), ...text.getBoundingClientRect().toJSON() }));
  for (const [index, box] of boxes.entries()) {
    if (box.left < sides.left - 1 || box.right > sides.right + 1 || box.top < sides.top - 1 || box.bottom > sides.bottom + 1) {
      ugly.push("outside: " + box.text);
    }
    for (const other of box.turned ? [] : boxes.slice(index + 1)) {
      const [across, down] = [Math.min(box.right, other.right) - Math.max(box.left, other.left), Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top)];
      if (across > 1 && down > 3) ugly.push("overlap: " + box.text + " and " + other.text);
    }
  }
  const scale = sides.width / drawing.viewBox.baseVal.width;
  const smallest = Math.min(...texts.map((text) => parseFloat(getComputedStyle(text).fontSize) * scale));
  if (smallest < 8.9) ugly.push("text of the drawing of " + smallest.toFixed(1) + " px");
  for (const card of drawing.querySelectorAll(".node")) {
    const box = card.querySelector("rect.box")?.getBoundingClientRect();
    for (const text of box && box.width > 50 ? card.querySelectorAll("text") : []) {
      if (text.getBoundingClientRect().right > box.right) ugly.push("over its card: " + text.textContent);
    }
  }
  for (const cell of document.querySelectorAll("td, .box, .box li")) {
    if (cell.scrollWidth > cell.clientWidth + 1) ugly.push("cut: " + cell.textContent);
  }
  if (document.documentElement.scrollWidth > innerWidth) ugly.push("wider than the window: " + document.documentElement.scrollWidth);
  return ugly;
})()`;

/** Texts whose contrast with what is behind them is under the 4.5 that WCAG 2.2 asks for (1.4.3). */
const FAINT = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const opaque = (color) => color !== "none" && (channels(color)[3] ?? 1) > 0;
  const behind = (element) => {
    if (element.matches(".node text.in")) return getComputedStyle(element.parentElement.querySelector(".sign")).fill;
    if (element.matches(".node text")) {
      const card = element.parentElement.querySelector("rect.box");
      if (card && card.getBoundingClientRect().width > 50) return getComputedStyle(card).fill;
    }
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (opaque(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const [faint, seen] = [new Set(), new Set()];
  for (const element of document.querySelectorAll("h1, h2, h3, h3 span, p, li, li span, li b, caption, th, td, td span, .keys span, .drawing text, .drawing tspan")) {
    const like = element.tagName + [element, element.parentElement, element.closest("table, section, .node")].map((one) => one?.getAttribute("class"));
    if (element.textContent.trim() === "" || seen.has(like)) continue;
    seen.add(like);
    const style = getComputedStyle(element);
    const color = element instanceof SVGElement ? style.fill : style.color;
    const [light, dark] = [luminance(color), luminance(behind(element))].sort((one, other) => other - one);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) faint.add(element.tagName + "." + (element.getAttribute("class") ?? "") + " " + contrast.toFixed(2));
  }
  return [...faint];
})()`;

/** What would be cut on paper, underlined as if it could be clicked, or not be on white. */
const ON_PAPER = `(() => {
  const ugly = [];
  for (const element of document.querySelectorAll("header *, main *")) {
    const { width, right } = element.getBoundingClientRect();
    if (width > 0 && right > innerWidth + 1) ugly.push("beyond the paper: " + element.tagName + " " + element.textContent.trim().slice(0, 40));
  }
  for (const name of document.querySelectorAll(".paths th span")) {
    if (name.scrollHeight > name.clientHeight + 1 || name.scrollWidth > name.clientWidth + 1) ugly.push("cut: " + name.textContent);
  }
  for (const link of document.querySelectorAll("a")) {
    if (getComputedStyle(link).textDecorationLine !== "none") ugly.push("a link: " + link.textContent);
  }
  if (getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)") ugly.push("not on white");
  return ugly;
})()`;
/** A4 across within the page's margins, in CSS pixels. */
const PAPER = { width: 1032, height: 703 };

for (const [name, madeUp] of Object.entries(PAGES)) {
  test(`${name} hosts: it asks for nothing, complains of nothing, and all of it can be read`, async () => {
    const path = join(directory, `${name}.html`);
    writeFileSync(path, renderPage(createFindings(madeUp)));
    for (const [scheme, width] of [
      ["light", 900],
      ["dark", 1280],
      ["light", 390],
      ["dark", 420],
    ] as const) {
      await chromium.open(path, width, 900, scheme);
      assert.equal(await chromium.evaluate(UGLY), [], `${scheme}, ${width} wide`);
      assert.equal(await chromium.evaluate(FAINT), [], scheme);
      if (kept !== undefined)
        writeFileSync(join(directory, `${name}-${scheme}-${width}.png`), await chromium.screenshot());
    }
    await chromium.open(path, PAPER.width, PAPER.height, "dark", "print");
    assert.equal(await chromium.evaluate(ON_PAPER), [], "on paper");
    assert.equal(await chromium.evaluate(FAINT), [], "on paper");
    const paper = await chromium.print();
    assert.is(paper.subarray(0, 5).toString(), "%PDF-");
    assert.ok(paper.length < 10_000_000, "what a printer can't draw by itself becomes pictures");
    if (kept !== undefined) writeFileSync(join(directory, `${name}.pdf`), paper);
    assert.equal(chromium.complaints, []);
    assert.equal(
      chromium.requests.filter((url) => !url.startsWith(`file://${directory}`)),
      [],
    );
  });
}

test.run();
