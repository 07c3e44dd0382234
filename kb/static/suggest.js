// Suggestions while a question is typed: the editable combobox of the ARIA Authoring Practices, list autocomplete with
// manual selection. Without this script, or where the answer fails, the form is a plain search.

const LEAST = 2;
const PAUSE = 150;

for (const form of document.querySelectorAll("form[data-suggest]")) suggestIn(form);

function suggestIn(form) {
  const field = form.querySelector("input[name=q]");
  const list = make("ul", { id: `${field.id}-list`, class: "suggest", role: "listbox", "aria-label": form.dataset.list });
  const said = make("span", { class: "visually-hidden", role: "status" });
  let found = [];
  let active = -1;
  let timer;
  let waiting = false;  // for the pause after a keystroke: the list shows what was typed before
  let asking;

  list.hidden = true;
  form.append(list);
  for (const [name, value] of Object.entries({
    type: "text", enterkeyhint: "search", autocapitalize: "none", spellcheck: "false",
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) field.setAttribute(name, value);

  const isOpen = () => !list.hidden;

  function cancel() {
    clearTimeout(timer);
    waiting = false;
    asking?.abort();
  }

  function open(yes) {
    list.hidden = !yes;
    field.setAttribute("aria-expanded", String(yes));
    activate(-1);
  }

  function close() {
    cancel();
    open(false);
  }

  function activate(to) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = to;
    const option = list.children[active];
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  function go(suggestion) {
    close();
    const kept = [...form.querySelectorAll("input[name=p]")].map((each) => `p=${encodeURIComponent(each.value)}`);  // a visitor's shortlist
    location.assign(kept.length ? `${suggestion.url}${suggestion.url.includes("?") ? "&" : "?"}${kept.join("&")}` : suggestion.url);
  }

  async function ask() {
    cancel();
    const text = field.value.trim();
    let suggestions = [];
    let words = "";
    if ([...text].length >= LEAST) {
      asking = new AbortController();
      try {
        const params = new URLSearchParams({ q: text, lang: document.documentElement.lang });
        const answer = await fetch(`${form.dataset.suggest}?${params}`, { signal: asking.signal });
        if (answer.ok) {
          suggestions = (await answer.json()).suggestions;
          words = suggestions.length ? form.dataset.some.replace("{count}", suggestions.length) : form.dataset.none;
        }
      } catch (error) {
        if (error.name === "AbortError") return false;
      }
    }
    said.textContent = words;
    found = suggestions;  // together with the options that show them
    list.replaceChildren(...found.map((each, i) => option(each, `${list.id}-${i}`)));
    open(found.length > 0 && document.activeElement === field);
    return isOpen();
  }

  async function move(step) {
    if ((waiting || !isOpen()) && !(await ask())) return;
    const last = found.length - 1;
    const to = active + step;
    activate(active < 0 ? (step > 0 ? 0 : last) : to < 0 ? last : to > last ? 0 : to);
  }

  const keys = {
    ArrowDown: (event) => { event.preventDefault(); event.altKey ? ask() : move(1); },
    ArrowUp: (event) => { event.preventDefault(); event.altKey ? close() : move(-1); },
    Escape: (event) => { if (isOpen()) event.preventDefault(); close(); },
    Enter: (event) => {
      if (active < 0) return close();
      event.preventDefault();
      go(found[active]);
    },
    Home: () => activate(-1), End: () => activate(-1), ArrowLeft: () => activate(-1), ArrowRight: () => activate(-1),
  };

  field.addEventListener("keydown", (event) => {
    if (!event.isComposing && !event.ctrlKey && !event.metaKey) keys[event.key]?.(event);
  });
  field.addEventListener("input", () => {
    cancel();
    activate(-1);
    timer = setTimeout(ask, PAUSE);
    waiting = true;
  });
  field.addEventListener("focus", () => form.append(said), { once: true });
  field.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault());  // the field keeps the focus
  list.addEventListener("click", (event) => {
    const at = [...list.children].indexOf(event.target.closest("[role=option]"));
    if (at >= 0) go(found[at]);
  });
}

function option({ label, lang, kind_label: kind, detail, found_by: by }, id) {
  const about = make("span", { class: "meta" });
  about.append(kind);
  if (by) about.append(" · ", make("q", { lang: by.lang }, by.text));
  if (detail) about.append(` · ${detail}`);
  const option = make("li", { id, role: "option", "aria-selected": "false" });
  option.append(make("span", { lang }, label), " ", about);
  return option;
}

function make(tag, attributes, text) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}
