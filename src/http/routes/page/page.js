"use strict";
// What the server answers is put in as text only (textContent), so a bot's title is never markup.
const API = "api/v1/";
const EVERY_MS = 5000;
const PAGE = 100;
let shown = PAGE;
let round = 0;

const at = (id) => document.getElementById(id);

// Characters that turn the direction of the text behind them are shown as what they are: unfit.
const plain = (text) => String(text ?? "–").replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

// Setting the same text again would have it read out again.
function say(text) {
  const wanted = plain(text ?? "");
  if (at("message").textContent !== wanted) at("message").textContent = wanted;
}

async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  const token = at("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok && !options.anyway) throw new Error(body.detail || `${answer.status} ${answer.statusText}`);
  return { body, next: answer.headers.get("X-Next-Cursor") };
}

const post = (path, body = {}) =>
  ask(API + path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

function cell(row, label, text, style = "") {
  const made = row.insertCell();
  made.role = "cell";
  made.dataset.label = label;
  made.textContent = plain(text);
  made.className = style;
  return made;
}

// A button at work is not `disabled`, because that would take the keyboard's focus from it.
function button(place, label, about, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.ariaLabel = `${label} ${about}`;
  made.addEventListener("click", async () => {
    if (made.ariaDisabled === "true") return;
    made.ariaDisabled = "true";
    try {
      say(await act());
    } catch (error) {
      say(`${label} ${about}: ${error.message}`);
    }
    made.ariaDisabled = "false";
    refresh();
  });
  place.append(made);
}

const when = (time) => (time ? new Date(time).toLocaleString() : "–");

function state(bot) {
  if (bot.hold) {
    const until = bot.hold.until ? ` until ${when(bot.hold.until)}` : "";
    const why = bot.hold.reason ? `: ${bot.hold.reason}` : "";
    const who = bot.hold.by ? ` (${bot.hold.by})` : "";
    return [`${bot.hold.kind}${until}${why}${who}`, bot.hold.kind === "manual" ? "long warn" : "long bad"];
  }
  if (bot.running.length) return [`running ${bot.running.join(", ")}`, "good"];
  if (!bot.enabled) return ["disabled", "warn"];
  return [bot.next_run ? "waiting" : "finished"];
}

function drawBot(row, bot) {
  const name = document.createElement("th");
  name.scope = "row";
  name.role = "rowheader";
  name.textContent = bot.name;
  name.title = plain([bot.title, bot.description].filter(Boolean).join(" – "));
  row.append(name);
  cell(row, "State", ...state(bot));
  cell(row, "Schedule", bot.schedule);
  cell(row, "Next run", bot.hold ? null : when(bot.next_run));
  cell(row, "Last run", when(bot.last_run));
  cell(row, "Failures", bot.consecutive_failures, bot.consecutive_failures ? "bad" : "");
  const place = `actors/${encodeURIComponent(bot.name)}/`;
  const actions = cell(row, "Actions", "");
  if (bot.hold) button(actions, "Resume", bot.name, () => post(`${place}resume`).then(() => `${bot.name} is resumed`));
  else button(actions, "Pause", bot.name, () => pause(bot.name, place));
  button(actions, "Trigger", bot.name, () => post(`${place}trigger`).then(({ body }) => body.message));
}

async function pause(name, place) {
  const reason = window.prompt(`Why is ${name} paused?`, "");
  if (reason === null) return "";
  await post(`${place}pause`, reason ? { reason } : {});
  return `${name} is paused`;
}

function took(run) {
  if (run.duration_ms === null) return null;
  return run.duration_ms < 1000 ? `${run.duration_ms} ms` : `${(run.duration_ms / 1000).toFixed(1)} s`;
}

function drawRun(row, run) {
  const good = run.success === true ? "good" : run.success === false ? "bad" : "";
  cell(row, "Run", run.id);
  cell(row, "Bot", run.task_id, "name");
  cell(row, "Status", run.reason ? `${run.status} (${run.reason})` : run.status, good);
  cell(row, "Trigger", run.trigger);
  cell(row, "Started", when(run.started_at ?? run.scheduled_for));
  cell(row, "Took", took(run));
  cell(row, "Error", run.error_message, run.error_message ? "long" : "");
  const actions = cell(row, "Actions", "");
  if (run.status === "running") button(actions, "Cancel", `run ${run.id}`, () => post(`executions/${run.id}/cancel`).then(({ body }) => body.message));
}

// Rows that did not change stay as they are. Where the keyboard's focus was in a row that is drawn anew, it is again after.
const drawn = new WeakMap();
function fill(id, items, name, draw) {
  const table = at(id);
  const focus = table.contains(document.activeElement) ? document.activeElement : null;
  const before = new Map([...table.rows].map((row) => [row.dataset.name, row]));
  const rows = items.map((item) => {
    const [key, text] = [String(item[name]), JSON.stringify(item)];
    const known = before.get(key);
    if (known && drawn.get(known) === text) return known;
    const row = document.createElement("tr");
    row.role = "row";
    row.dataset.name = key;
    drawn.set(row, text);
    draw(row, item);
    return row;
  });
  if (rows.length === table.rows.length && rows.every((row, index) => row === table.rows[index])) return;
  table.replaceChildren(...rows);
  if (focus) refocus(rows, focus);
}

function refocus(rows, focus) {
  const name = focus.closest("tr").dataset.name;
  const buttons = [...(rows.find((row) => row.dataset.name === name)?.querySelectorAll("button") ?? [])];
  (buttons.find((made) => made.ariaLabel === focus.ariaLabel) ?? buttons[0])?.focus({ preventScroll: true });
}

async function refreshBots(mine) {
  const query = new URLSearchParams();
  if (at("find").value) query.set("q", at("find").value);
  if (at("held").checked) query.set("paused", "true");
  const bots = [];
  let next = null;
  do {
    query.set("limit", PAGE);
    if (next) query.set("cursor", next);
    const page = await ask(`${API}actors?${query}`);
    bots.push(...page.body);
    next = page.next;
  } while (next && bots.length < shown);
  if (mine !== round) return;
  fill("bots", bots, "name", drawBot);
  at("count").textContent = `(${bots.length}${next ? " of more" : ""})`;
  at("more").hidden = !next;
}

async function refreshHealth() {
  const { body } = await ask("health", { anyway: true });
  const whole = String(body.status ?? "unknown");
  const text = plain(body.reason ? `${whole}: ${body.reason}` : whole);
  if (at("health").textContent !== text) at("health").textContent = text;
  at("health").className = { healthy: "good", degraded: "warn" }[whole] ?? "bad";
}

async function refresh() {
  const mine = ++round;
  const lost = at("message").dataset;
  try {
    await refreshHealth();
    await refreshBots(mine);
    const runs = await ask(`${API}executions?limit=20`);
    if (mine === round) fill("runs", runs.body, "id", drawRun);
    if (lost.lost === at("message").textContent) say("");
    delete lost.lost;
  } catch (error) {
    if (mine !== round) return;
    say(`Not up to date: ${error.message}`);
    lost.lost = at("message").textContent;
  }
}

at("tools").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
for (const id of ["find", "held", "token"]) at(id).addEventListener("change", refresh);
at("more").addEventListener("click", () => { shown += PAGE; refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
refresh();
