// Help while a practice is written. Everything here works without it, by sending the form.

const form = document.querySelector("form[data-unsaved]");
const controls = () => [...form.elements].filter((each) => each.name);
const holds = (each) => (["radio", "checkbox"].includes(each.type) ? each.checked && each.value !== "" : each.value.trim() !== "");
const filled = (key) => controls().some((each) => (each.name === key || each.name.startsWith(`${key}-`)) && holds(each));

// What is missing, part by part, and how complete the record is.
function measure() {
  const national = form.elements.level?.value === "national";
  const themes = form.querySelector("select[name=themes]");  // the main one
  const missing = new Set();
  for (const list of document.querySelectorAll("details[data-missing], details[data-empty]")) {
    const needed = "missing" in list.dataset;
    let open = 0;
    for (const entry of list.querySelectorAll("[data-field]")) {
      const { field, control } = entry.dataset;
      const held = field === "themes" ? themes.value !== "" : filled(control ?? field);
      entry.hidden = held || (needed && field === "region" && national);
      if (!entry.hidden && needed) missing.add(field);
      open += !entry.hidden;
    }
    list.hidden = open === 0;
    list.querySelector("summary").textContent = (list.dataset.missing ?? list.dataset.empty).replace("{n}", open);
  }
  const recommended = [...document.querySelectorAll("details[data-empty] [data-field]")];
  const told = recommended.filter((each) => each.hidden).length;
  const heading = document.getElementById("complete");
  heading.textContent = heading.dataset.share.replace("{n}", told);
  document.querySelector("progress[aria-labelledby=complete]").value = Math.round((100 * told) / recommended.length);
  for (const state of document.querySelectorAll("[data-part]")) {
    const keys = state.dataset.part.split(" ");
    const still = [...missing].filter((path) => keys.includes(path.split(".")[0])).length;
    state.textContent = still ? state.dataset.still.replace("{n}", still) : state.dataset.done;
  }
}

let soon;
for (const kind of ["input", "change"]) {
  form.addEventListener(kind, () => { clearTimeout(soon); soon = setTimeout(measure, 300); });
}

// A suggestion chooses its term at once; the main theme first, where there is none yet.
const said = document.createElement("p");
said.className = "visually-hidden";
said.setAttribute("role", "status");
form.append(said);
form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=suggest]");
  const [key, value] = (button?.value ?? "").split(":");
  if (!value) return;
  const list = form.querySelector(`select[name="${key}"]`);
  const box = form.querySelector(`input[type=checkbox][name="${key}"][value="${value}"]`);
  const chosen = list && (!list.value || !box) ? list : box;
  if (!chosen) return;
  event.preventDefault();
  if (chosen === list) list.value = value;
  else box.checked = true;
  chosen.dispatchEvent(new Event("change", { bubbles: true }));
  chosen.dispatchEvent(new Event("input", { bubbles: true }));
  const name = chosen === list ? list.selectedOptions[0].text : box.parentElement.textContent.trim();
  said.textContent = button.dataset.said.replace("{name}", name);
  const around = button.closest("[data-suggested]");
  const next = button.nextElementSibling ?? button.previousElementSibling ?? chosen;
  button.remove();
  if (!around.querySelector("button")) around.remove();
  next.focus();
});
