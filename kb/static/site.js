// Small comforts; every page works without them.

// A search's address holds what was chosen and nothing else: empty fields stay out of it.
for (const form of document.querySelectorAll('form[action]:not([method="post"])')) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}

// The language menu closes at Escape and when one goes elsewhere.
for (const menu of document.querySelectorAll("details.langs")) {
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
}

// A text with a limit says how long it is while it is written; a word is what white space separates. Whoever listens
// hears it when nine tenths are written, when it is too long, and when the field is left: not at each word.
const heard = document.createElement("p");
heard.className = "visually-hidden";
heard.setAttribute("role", "status");
for (const count of document.querySelectorAll("[data-count]")) {
  const field = document.getElementById(count.id.slice(0, -2));
  const most = Number(count.dataset.most);
  const length = () => (count.dataset.count === "words" ? (field.value.match(/\S+/g) || []).length : [...field.value].length);
  const reached = (now) => (now > most ? 2 : now >= 0.9 * most ? 1 : 0);
  let before = reached(length());
  const say = () => {
    const now = length();
    const text = now > most ? count.dataset.over : count.dataset.text;
    count.textContent = text.replace("{now}", now).replace("{most}", most).replace("{more}", now - most);
    count.classList.toggle("over", now > most);
    if (reached(now) > before) heard.textContent = count.textContent;
    before = reached(now);
  };
  document.querySelector("main").append(heard);
  field.addEventListener("input", say);
  field.addEventListener("change", () => { heard.textContent = count.textContent; });
}

// Leaving a form with words that are not saved asks first.
for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let unsaved = form.dataset.unsaved === "yes";
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  form.addEventListener("kept", () => { unsaved = false; });  // on the server, says draft.js
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
}

// A page that prints well says so.
for (const button of document.querySelectorAll("[data-prints]")) button.addEventListener("click", () => print());

// What is to be copied can be, where the browser lets a page do so; where it refuses, the text is marked, to be copied
// by hand. The region that says so is there before anything is said in it, or nobody would hear it.
for (const button of document.querySelectorAll("[data-copies]")) {
  const words = button.textContent, text = document.getElementById(button.dataset.copies);
  button.hidden = !navigator.clipboard;
  document.querySelector("main").append(heard);
  button.addEventListener("click", async () => {
    heard.textContent = "";
    try {
      await navigator.clipboard.writeText(text.textContent.trim());
    } catch {
      getSelection().selectAllChildren(text);
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { heard.textContent = button.dataset.done; }, 100);
    setTimeout(() => { button.textContent = words; }, 4000);
  });
}

// The browser's own copies of text that is being written (draft.js) are for their writer alone. They go when the server
// has the text, when one signs out, and when somebody else signs in; a session that ended by itself leaves them.
const COPIES = "kb:text:";

function forget(which) {
  for (const key of Object.keys(localStorage)) if (key.startsWith(COPIES) && which(key)) localStorage.removeItem(key);
}

try {
  const out = document.querySelector("form.sign-out");
  const user = out?.querySelector("button").dataset.user;
  if (user) forget((key) => !key.startsWith(`${COPIES}${user}:`));
  else if (sessionStorage.getItem("kb:signing-out")) forget(() => true);
  sessionStorage.removeItem("kb:signing-out");
  for (const form of document.querySelectorAll("form.sign-out, form[data-signs-out]")) {
    form.addEventListener("submit", () => sessionStorage.setItem("kb:signing-out", user));
  }

  const here = new URL(location);
  const saved = here.searchParams.get("saved");
  if (saved) {
    forget((key) => key.endsWith(`:${saved}`));
    here.searchParams.delete("saved");
    history.replaceState(history.state, "", here);
  }
} catch {
  // A browser that keeps nothing has nothing to forget.
}
