// The practice form loses no word: what is typed goes to the server every few seconds, and into a copy that the browser
// keeps until the server has it. Without this script "Save draft" does the same, by hand.

const EVERY = 4000;  // at most so often while one types
const PAUSE = 300;  // after a keystroke, before the browser's own copy
const MOST = 30000;  // between two tries while the site does not answer
const SMALL = 60000;  // what a browser sends for a page that is being left
const OWN = ["csrf_token", "seen", "draft", "copy", "after", "contact_seen"];  // fields that are none of the text
const FROM = ["seen", "after", "contact_seen"];  // what the text began from

const form = document.querySelector("form[data-autosave]");
if (form) keepText(form);

function keepText(form) {
  const line = document.getElementById("saved");
  const said = document.getElementById("said");
  const copies = `kb:text:${form.dataset.user}:`;
  const copy = hidden("copy", fresh());
  const key = `${copies}${form.dataset.practice}:${copy.value}`;
  const loaded = text();
  let kept = form.dataset.unsaved === "yes" ? null : JSON.stringify(loaded);  // what the server has
  let timer;
  let writing;
  let sending = false;
  let wait = EVERY;
  let state = "";
  let muted = false;  // signed out in another window: this browser is to keep nothing
  let leaving = false;

  function hidden(name, value) {
    const field = form.querySelector(`input[name=${name}]`) ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name, autocomplete: "off" });
    if (!field.value) field.value = value;
    if (!field.isConnected) form.prepend(field);
    return field;
  }

  // The text of the form as [name, value]: no files, and nothing that only the form itself needs.
  function text() {
    return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !OWN.includes(name));
  }

  const isKept = () => JSON.stringify(text()) === kept;

  // The browser's own copy

  function write() {
    clearTimeout(writing);
    if (muted || isKept()) return !muted;
    const from = Object.fromEntries(FROM.map((name) => [name, form.elements[name]?.value ?? ""]));
    const held = { at: Date.now(), begun: form.dataset.begun === "yes", ...from, pairs: text() };
    try {
      localStorage.setItem(key, JSON.stringify(held));
      return true;
    } catch {
      return false;
    }
  }

  function drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // it keeps nothing
    }
  }

  window.addEventListener("storage", (event) => {
    if (event.key !== key || event.newValue !== null || isKept()) return;
    muted = true;
    send();
  });

  // To the server

  function soon() {
    timer ??= setTimeout(send, wait);
  }

  async function send(last = false) {
    clearTimeout(timer);
    timer = undefined;
    if (leaving || isKept()) return;
    if (sending) return soon();
    sending = true;
    const pairs = text();
    try {
      await tell(await post(pairs, last), pairs);
    } catch {
      fail("offline");
    } finally {
      sending = false;
    }
    if (!isKept()) soon();
  }

  function post(pairs, last = false) {
    const body = new URLSearchParams(pairs);
    for (const name of OWN) if (form.elements[name]) body.append(name, form.elements[name].value);
    const keepalive = last && String(body).length < SMALL;
    return fetch(form.dataset.autosave, { method: "POST", body, keepalive, headers: { Accept: "application/json" } });
  }

  async function tell(answer, pairs, again = true) {
    const held = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (held.saved) return have(held, pairs);
    if (answer.status === 400 && held.csrf_token && held.user === form.dataset.user && again) {
      form.elements.csrf_token.value = held.csrf_token;  // signed in again, in another window
      return tell(await post(pairs), pairs, false);
    }
    if (answer.status === 400 && held.user && held.user !== form.dataset.user) return fail("other");
    fail({ 401: "ended", 403: "refused", 404: "refused", 409: "elsewhere", 413: "long" }[answer.status] ?? "failed");
  }

  function have({ saved, seen, contact_seen: contact, draft, detail }, pairs) {
    kept = JSON.stringify(pairs);
    wait = EVERY;
    muted = false;
    hidden("seen", seen).value = seen;
    if (contact) hidden("contact_seen", contact).value = contact;
    if (form.dataset.begun !== "yes") {
      form.dataset.begun = "yes";
      history.replaceState(history.state, "", form.dataset.edit);
    }
    if (isKept()) {
      clearTimeout(writing);
      drop(key);
      form.dispatchEvent(new Event("kept"));
    }
    if (detail) show("moved", detail, true);
    else show("saved", line.dataset[draft ? "saved" : "kept"].replace("{time}", clock(saved)), false);
  }

  function fail(why) {
    const holds = write();
    wait = Math.min(wait * 2, MOST);
    show(why, holds || why === "other" ? line.dataset[why] : line.dataset.bare, true);
    if (why !== "ended") return;
    const link = document.createElement("a");
    link.href = `${form.dataset.signIn}?next=${encodeURIComponent(location.pathname)}`;
    link.textContent = line.dataset.signIn;
    if (holds) link.addEventListener("click", () => form.dispatchEvent(new Event("kept")));
    line.append(" ", link);
  }

  // Each save is seen; heard is only what changes: the first save, and a failure.
  function show(next, words, bad) {
    line.hidden = false;
    line.textContent = words;
    line.classList.toggle("bad", bad);
    if (next !== state) said.textContent = words;
    state = next;
  }

  // When

  form.addEventListener("input", () => {
    clearTimeout(writing);
    writing = setTimeout(write, PAUSE);
    soon();
  });
  form.addEventListener("change", () => { if (!isKept()) send(); });
  window.addEventListener("online", () => { if (!isKept()) send(); });
  document.addEventListener("visibilitychange", () => {
    write();
    send(document.visibilityState === "hidden");
  });
  window.addEventListener("pagehide", () => { write(); send(true); });
  form.addEventListener("submit", () => {
    write();
    leaving = true;
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) leaving = false; });

  // What an earlier page left behind

  function found() {
    const held = [];
    try {
      for (const each of Object.keys(localStorage)) {
        if (!each.startsWith(copies) || each === key) continue;
        const one = { key: each, practice: each.split(":")[3], ...JSON.parse(localStorage.getItem(each)) };
        const same = one.practice === form.dataset.practice;
        if (same || (!one.begun && form.dataset.begun !== "yes")) held.push(one);
      }
    } catch {
      return [];
    }
    return held.sort((one, other) => other.at - one.at);
  }

  function offer() {
    const box = document.getElementById("copy");
    const [newest, ...older] = found().filter((one) => {
      const same = different(one.pairs, loaded).length === 0;
      if (same) drop(one.key);
      return !same;
    });
    box.hidden = !newest;
    if (!newest) return;
    const when = dates({ dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
    const fields = different(newest.pairs, loaded).map(called);
    const words = box.dataset.text.replace("{time}", `${when.format(newest.at)} UTC`)
      .replace("{fields}", [...new Set(fields.filter(Boolean))].join(", "));
    box.querySelector("p").textContent = words;
    said.textContent = words;
    box.querySelector("[value=use]").onclick = () => use(newest);
    box.querySelector("[value=drop]").onclick = () => {
      drop(newest.key);
      offer();
      if (older.length === 0) document.getElementById("main").focus();
    };
  }

  // The server fills the form with it, repeated parts and all; nothing is saved by that.
  function use(one) {
    const sent = document.createElement("form");
    Object.assign(sent, { method: "post", action: form.action, enctype: "multipart/form-data" });
    const more = { csrf_token: form.elements.csrf_token.value, do: "show", copy: one.key.split(":")[4] };
    for (const name of FROM) more[name] = one[name] ?? "";
    if (!one.begun && form.dataset.begun !== "yes") more.draft = one.practice;
    for (const [name, value] of [...one.pairs, ...Object.entries(more)]) {
      const field = document.createElement("textarea");
      Object.assign(field, { name, value });
      sent.append(field);
    }
    sent.hidden = true;
    document.body.append(sent);
    leaving = true;
    form.dispatchEvent(new Event("kept"));
    sent.submit();
  }

  function called(name) {
    const field = form.querySelector(`[name="${CSS.escape(name)}"]`);
    const part = form.querySelector(`#${CSS.escape(name.split("-")[0])}`);
    const label = (field?.type === "radio" || name.includes("-") ? (field ?? part)?.closest("fieldset.field") : null)
      ?.querySelector("legend") ?? field?.labels?.[0] ?? part?.querySelector("legend");
    return label?.firstChild?.textContent.trim() ?? "";
  }

  if (form.dataset.unsaved === "yes") {
    write();
    soon();
  }
  offer();
}

// The names under which two texts say something else. Blank fields say nothing.
function different(ours, theirs) {
  const said = (pairs) => {
    const by = new Map();
    for (const [name, value] of pairs) {
      const plain = value.replace(/\r\n/g, "\n").trim();
      if (plain) by.set(name, [...(by.get(name) ?? []), plain]);
    }
    return by;
  };
  const [one, other] = [said(ours), said(theirs)];
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => JSON.stringify(one.get(name)) !== JSON.stringify(other.get(name)));
}

function clock(moment) {
  return `${dates({ timeStyle: "short", timeZone: "UTC" }).format(new Date(moment))} UTC`;
}

// Dates in the language of the page, English ones as Europe writes them.
function dates(style) {
  const { lang } = document.documentElement;
  return new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, style);
}

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}
