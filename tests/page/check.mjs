// The pages in a browser: what strangers say is text and never markup, the tables are right and stay fresh, the buttons work
// with a token that is kept nowhere, the keyboard is enough, and an accessibility checker finds nothing serious.
//
//   node tests/page/check.mjs SERVER NODE_MODULES
//
// It starts a server of its own on free ports, with a Discord that says hostile things.
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [server, modules] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(modules, "x"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(join(modules, "axe-core/axe.min.js"), "utf8");
const EVIL = "<img src=x onerror=alert(1)>";
const LONG = `long_${"0123456789".repeat(5)}_as_it_ge`;
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const REFUSALS = { 1111111111: [400, 50035], 2222222222: [403, 50001] };

// --- a server with bots in every state -------------------------------------------------------------------------------

async function discord() {
  const answer = (request, reply) => {
    const [status, code] = REFUSALS[/channels\/(\d+)/.exec(request.url)?.[1]] ?? [200, 0];
    reply.writeHead(status, { "content-type": "application/json" });
    reply.end(JSON.stringify({ id: "1", code, message: `${EVIL} \u202e"><script>alert(2)</script>` }));
  };
  const made = createServer((request, reply) => request.resume().on("end", () => answer(request, reply)));
  await new Promise((done) => made.listen(0, "127.0.0.1", done));
  return made;
}

const bot = (name, schedule, more = "") =>
  `[[actors]]\nname = "${name}"\nconfig_file = "bot.toml"\n${more}\n[actors.schedule]\n${schedule}\n[actors.retry]\nmax_attempts = 1\n`;

function configure(home, port) {
  const often = 'type = "Interval"\nseconds = 1';
  writeFileSync(join(home, "bot.toml"), `[actor]\nname = '${EVIL}'\ndescription = '" onmouseover="alert(3)'
skills = ["content_formatter", "content_posting"]\n[skills.content_formatter]\ntemplate = "hello {{ now }}"\n`);
  writeFileSync(join(home, "server.toml"), `[server]\ndatabase_url = "sqlite://page.db"\nmax_consecutive_failures = 2
[http]\napi = "127.0.0.1:0"\nhealth = "127.0.0.1:0"\nmetrics = "127.0.0.1:0"
[discord]\napi_url = "http://127.0.0.1:${port}"\ntoken = "abc"
${bot("healthy", often)}${bot("paused", often)}${bot("failing", often, 'channel_id = "1111111111"')}
${bot("refused", often, 'channel_id = "2222222222"')}${bot("off", 'type = "Cron"\nexpression = "@daily"', "enabled = false")}
${bot(LONG, 'type = "Cron"\nexpression = "@daily"')}`);
}

async function until(what, probe) {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function start(home) {
  const env = { PATH: process.env.PATH, API_JWT_SECRET: randomBytes(48).toString("base64") };
  const child = spawn(server, ["-c", "server.toml"], { cwd: home, env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (text) => { log += text; });
  child.once("exit", (code) => { if (code !== 0) console.error(log); });
  const address = await until("the API listens", () => /listener="api" address=(\S+)/.exec(log)?.[1]);
  const base = `http://${address}`;
  await until("ready", async () => (await fetch(`${base}/health/ready`)).ok);
  const words = ["token", "-c", "server.toml", "--role", "operator", "--subject", EVIL, "--ttl", "1h"];
  const token = execFileSync(server, words, { cwd: home, env, encoding: "utf8" }).trim();
  return { child, base, token };
}

async function prepare({ base, token }) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const paused = await fetch(`${base}/api/v1/actors/paused/pause`, { method: "POST", headers, body: JSON.stringify({ reason: EVIL }) });
  assert.equal(paused.status, 200);
  await until("failing and refused bots are held", async () => {
    const bots = await (await fetch(`${base}/api/v1/actors?paused=true`)).json();
    return bots.length === 3;
  });
}

// --- a browser that writes down what a page does ---------------------------------------------------------------------

async function open(browser, url, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  const seen = { noise: [], origins: new Set(), alerts: [] };
  page.on("console", (message) => seen.noise.push(message.text()));
  page.on("pageerror", (error) => seen.noise.push(String(error)));
  page.on("requestfailed", (request) => seen.noise.push(`failed: ${request.url()}`));
  page.on("request", (request) => { if (!request.url().startsWith("data:")) seen.origins.add(new URL(request.url()).origin); });
  page.on("dialog", (dialog) => {
    if (dialog.type() === "prompt") return dialog.accept(EVIL);
    seen.alerts.push(dialog.message());
    return dialog.dismiss();
  });
  await page.goto(url);
  return { page, seen };
}

function assertQuiet(seen, base) {
  assert.deepEqual(seen.alerts, [], "a stranger's text was run");
  assert.deepEqual(seen.noise, [], "errors in the browser's console");
  assert.deepEqual([...seen.origins], [base], "requests to other origins");
}

// Through the debugger, because the page's policy lets nobody put a script in.
async function assertAccessible(page, label) {
  await page.evaluate(`${AXE};0`);
  const { violations } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const places = ({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target }) => target.join(" ")).join(", ")}`;
  assert.deepEqual(serious.map(places), [], label);
}

const row = (page, name) => page.locator(`#bots tr[data-name="${name}"]`);
const says = (locator, text) => until(`"${text}"`, async () => (await locator.innerText()).includes(text));

// --- what is promised ------------------------------------------------------------------------------------------------

async function shows(browser, { base }) {
  const { page, seen } = await open(browser, base);
  await page.setViewportSize({ width: 1280, height: 900 });
  await row(page, "healthy").waitFor();
  assert.equal(await page.locator("#bots tr").count(), 6);
  assert.match(await row(page, "paused").innerText(), /manual: <img src=x onerror=alert\(1\)> \(<img/);
  assert.match(await row(page, "failing").innerText(), /failures/);
  assert.match(await row(page, "refused").innerText(), /refused.*<img src=x/s);
  assert.match(await row(page, "off").innerText(), /disabled/);
  assert.doesNotMatch(await page.locator("main").innerText(), /\u202e/, "a text turns the direction of others");
  assert.equal(await page.locator("img").count(), 0, "a stranger's text became markup");
  assert.ok(await fits(page), "wider than the window");
  await assertAccessible(page, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await assertAccessible(page, "dark");
  const newest = () => page.locator("#runs tr").first().getAttribute("data-name");
  const before = await newest();
  await until("the table is fresh", async () => (await newest()) !== before);
  assertQuiet(seen, base);
}

const fits = (page) => page.evaluate("document.documentElement.scrollWidth <= innerWidth");
const focused = (page) => page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.id");

async function isOperatedByKeyboard(browser, { base, token }) {
  const { page, seen } = await open(browser, base);
  await row(page, "healthy").waitFor();
  await page.locator("#find").focus();
  for (let n = 0; n < 2; n += 1) await page.keyboard.press("Tab");
  assert.equal(await focused(page), "token");
  await page.keyboard.insertText(token);
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Pause healthy" }).focus();
  await page.keyboard.press("Enter");
  await says(page.locator("#message"), "healthy is paused");
  await says(row(page, "healthy"), `manual: ${EVIL}`);
  assert.equal(await focused(page), "Resume healthy", "the keyboard's place is kept");
  await page.keyboard.press("Enter");
  await says(page.locator("#message"), "healthy is resumed");
  await until("the place is kept again", async () => (await focused(page)) === "Pause healthy");
  await page.getByRole("button", { name: "Trigger off" }).focus();
  await page.keyboard.press("Enter");
  await says(page.locator("#message"), "Triggered execution for actor 'off'");
  assert.deepEqual(await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.search]"), [0, 0, "", ""]);
  assertQuiet(seen, base);
  await page.reload();
  assert.equal(await page.locator("#token").inputValue(), "", "the token outlived the page");
}

async function needsAToken(browser, { base }) {
  const { page, seen } = await open(browser, base);
  await page.getByRole("button", { name: "Pause healthy" }).click();
  await says(page.locator("#message"), "a token is needed");
  assert.deepEqual(seen.alerts, []);
}

async function isReadableOnANarrowWindow(browser, { base }) {
  const { page, seen } = await open(browser, base, { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
  await row(page, "healthy").waitFor();
  assert.ok(await fits(page), "wider than the window");
  const box = await page.getByRole("button", { name: `Trigger ${LONG}` }).boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 320, "a button is out of reach");
  await assertAccessible(page, "narrow");
  assertQuiet(seen, base);
}

async function showsTheDocument(browser, { base }) {
  const { page, seen } = await open(browser, `${base}/api/v1/docs/?url=https://example.org/other.json`);
  await page.locator(".opblock").first().waitFor();
  assert.ok((await page.locator(".opblock").count()) > 30);
  await page.locator(".opblock").first().click();
  await page.locator(".opblock-body").first().waitFor();
  assertQuiet(seen, base);
}

const home = mkdtempSync(join(tmpdir(), "actor-server-page."));
const stub = await discord();
configure(home, stub.address().port);
const running = await start(home);
const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  await prepare(running);
  for (const check of [shows, isOperatedByKeyboard, needsAToken, isReadableOnANarrowWindow, showsTheDocument]) {
    await check(browser, running);
    console.log(`ok ${check.name}`);
  }
} finally {
  await browser.close();
  running.child.kill("SIGTERM");
  await new Promise((done) => running.child.once("exit", done));
  stub.closeAllConnections();
  stub.close();
  rmSync(home, { recursive: true });
}
