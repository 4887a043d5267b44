"use strict";
// What the server answers is put in as text only (textContent), so a bot's title is never markup.
const API = "api/v1/";
const EVERY_MS = 5000;
const PAGE = 100;
let shown = PAGE;
let round = 0;

const at = (id) => document.getElementById(id);

async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  const token = at("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok && !options.anyway) throw new Error(body.detail || `${answer.status} ${answer.statusText}`);
  return { body, next: answer.headers.get("X-Next-Cursor") };
}

function cell(row, text, style) {
  const made = row.insertCell();
  made.textContent = text ?? "–";
  if (style) made.className = style;
  return made;
}

function button(place, label, about, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.setAttribute("aria-label", `${label} ${about}`);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      at("message").textContent = (await act()) || "";
    } catch (error) {
      at("message").textContent = `${label} ${about}: ${error.message}`;
    }
    made.disabled = false;
    refresh();
  });
  place.append(made);
}

const post = (path, body = {}) =>
  ask(API + path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

const when = (time) => (time ? new Date(time).toLocaleString() : "–");

function state(bot) {
  if (bot.hold) {
    const until = bot.hold.until ? ` until ${when(bot.hold.until)}` : "";
    return [`${bot.hold.kind}: ${bot.hold.reason} (${bot.hold.by})${until}`, bot.hold.kind === "manual" ? "warn" : "bad"];
  }
  if (bot.running.length) return [`running ${bot.running.join(", ")}`, "good"];
  return bot.enabled ? ["waiting", ""] : ["disabled", "warn"];
}

function drawBot(table, bot) {
  const row = table.insertRow();
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = bot.name;
  name.title = [bot.title, bot.description].filter(Boolean).join(" – ");
  row.append(name);
  cell(row, ...state(bot));
  cell(row, bot.schedule);
  cell(row, when(bot.next_run));
  cell(row, when(bot.last_run));
  cell(row, bot.consecutive_failures, bot.consecutive_failures ? "bad" : "");
  const place = `actors/${encodeURIComponent(bot.name)}/`;
  const actions = cell(row, "");
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

function drawRun(table, run) {
  const good = run.success === true ? "good" : run.success === false ? "bad" : "";
  const row = table.insertRow();
  cell(row, run.id);
  cell(row, run.task_id);
  cell(row, run.reason ? `${run.status} (${run.reason})` : run.status, good);
  cell(row, run.trigger);
  cell(row, when(run.started_at ?? run.scheduled_for));
  cell(row, run.duration_ms === null ? null : `${(run.duration_ms / 1000).toFixed(1)} s`);
  cell(row, run.error_message, "error");
  const actions = cell(row, "");
  if (run.status === "running") button(actions, "Cancel", `run ${run.id}`, () => post(`executions/${run.id}/cancel`).then(({ body }) => body.message));
}

// A table is not drawn anew under the keyboard's focus: the button that somebody is on would be gone.
function fill(id, rows, draw) {
  const table = at(id);
  if (table.contains(document.activeElement)) return;
  table.replaceChildren();
  for (const row of rows) draw(table, row);
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
  fill("bots", bots, drawBot);
  at("count").textContent = `(${bots.length}${next ? " of more" : ""})`;
  at("more").hidden = !next;
}

async function refreshHealth() {
  const { body } = await ask("health", { anyway: true });
  const whole = String(body.status ?? "unknown");
  at("health").textContent = body.reason ? `${whole}: ${body.reason}` : whole;
  at("health").className = { healthy: "good", degraded: "warn" }[whole] ?? "bad";
}

async function refresh() {
  const mine = ++round;
  try {
    await refreshHealth();
    await refreshBots(mine);
    const runs = await ask(`${API}executions?limit=20`);
    if (mine === round) fill("runs", runs.body, drawRun);
    if (at("message").dataset.lost) at("message").textContent = "";
    delete at("message").dataset.lost;
  } catch (error) {
    at("message").dataset.lost = "yes";
    at("message").textContent = `Not up to date: ${error.message}`;
  }
}

at("tools").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["find", "held", "token"]) at(id).addEventListener("change", refresh);
at("more").addEventListener("click", () => { shown += PAGE; refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
refresh();
