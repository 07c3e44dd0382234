// The list of practices follows its filters without a reload: this asks for the page of the new address and puts its
// parts in place. Without this script, and wherever anything fails, the same addresses are opened the ordinary way.

const form = document.getElementById("facets");
const values = form.querySelector(".sheet-body");
const button = form.querySelector("[data-found]");
const results = document.getElementById("results");
const count = document.getElementById("count");
const heading = count.parentElement;
let shown = location.href;
let asking;

tell(button);

// What the button says; where nothing is found, only whoever has the filters in a sheet needs it.
function tell(fresh) {
  button.textContent = button.dataset.found = fresh.dataset.found;
  button.classList.toggle("only-small", "nothing" in fresh.dataset);
}

// The address that the form would open as it stands; site.js leaves empty fields out of it.
function chosen() {
  const address = new URL(form.action);
  address.search = new URLSearchParams(new FormData(form));
  return address.href;
}

// Whether the form says something that can be asked: a year is typed digit by digit, and one before the other.
function sensible() {
  const { year_from: from, year_to: to } = form.elements;
  return form.checkValidity() && !(from.value && to.value && from.value > to.value);
}

// Show the page at an address, as a new step of the browser's history where it is none yet. True once it stands there.
async function show(address, step = true) {
  asking?.abort();
  const { signal } = (asking = new AbortController());
  const leave = () => asking.abort();  // whoever goes elsewhere meanwhile is not called back
  addEventListener("beforeunload", leave);
  try {
    const answer = await fetch(address, { signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || !page.getElementById("results")) throw new Error(answer.status);
    if (step) history.pushState(null, "", answer.url);
    shown = location.href;
    replace(page);
    return true;
  } catch {
    if (!signal.aborted) location.assign(address);
    return false;
  } finally {
    removeEventListener("beforeunload", leave);
  }
}

function replace(page) {
  const control = document.activeElement;
  const top = control.getBoundingClientRect().top;
  document.title = page.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    part.replaceChildren(...page.getElementById(part.id).childNodes);
  }
  for (const link of document.querySelectorAll("a[hreflang]")) {
    link.href = page.querySelector(`a[hreflang="${link.hreflang}"]`).getAttribute("href");
  }
  const fresh = page.getElementById("facets");
  unseen(form, fresh, "prepend");
  unseen(document.getElementById("q").form, page.getElementById("q").form, "append");
  for (const name of ["year_from", "year_to"]) {
    const field = form.elements[name];
    field.defaultValue = fresh.elements[name].value;
    if (field !== control) field.value = field.defaultValue;
  }
  merge(values, fresh.querySelector(".sheet-body"));
  tell(fresh.querySelector("[data-found]"));
  count.textContent = page.getElementById("count").textContent;  // a live region: said once, when all is in place
  if (!control.isConnected) return heading.focus({ preventScroll: true });
  if (control !== document.activeElement) control.focus({ preventScroll: true });
  if (!values.contains(control)) return;
  const moved = control.getBoundingClientRect().top - top;  // it stays under the finger that chose it
  (form.matches(":popover-open") ? values : window).scrollBy({ top: moved, behavior: "instant" });
}

// What a form sends along unseen, before or after what is seen.
function unseen(held, fresh, place) {
  for (const each of held.querySelectorAll(":scope > [type=hidden]")) each.remove();
  held[place](...fresh.querySelectorAll(":scope > [type=hidden]"));
}

// Filters are renewed in place, so that the one in use keeps the focus, even one that is no use any more, and what was
// unfolded stays so.
function merge(held, fresh) {
  const left = new Map([...held.children].map((each) => [key(each), each]));
  const now = [...fresh.children].map((each) => {
    const same = left.get(key(each));
    left.delete(key(each));
    if (same) renew(same, each);
    return same || each;
  });
  const used = [...left.values()].find((each) => each.contains(document.activeElement));
  if (used) now.splice([...held.children].indexOf(used), 0, used);
  for (const gone of left.values()) if (gone !== used) gone.remove();
  now.forEach((each, i) => { if (held.children[i] !== each) held.insertBefore(each, held.children[i] || null); });
}

function key(element) {
  return element.tagName + (element.id || element.querySelector(":scope > input")?.value || element.className);
}

function renew(held, fresh) {
  if (held.matches(".years")) return;
  if (held.matches("label")) {
    const [box, now] = [held, fresh].map((each) => each.firstElementChild);
    box.defaultChecked = now.defaultChecked;
    box.checked = now.checked;
    held.lastElementChild.textContent = fresh.lastElementChild.textContent;
  } else if (held.matches("fieldset, details")) {
    if (fresh.open) held.open = true;
    merge(held, fresh);
  } else held.replaceChildren(...fresh.childNodes);
}

form.addEventListener("change", () => { if (sensible()) show(chosen()); });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (chosen() !== shown && !(await show(chosen()))) return;
  if (form.matches(":popover-open")) form.hidePopover();
  heading.focus();
});

// On small screens the filters are a sheet over the page: whoever tabs out of it leaves it.
form.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !form.contains(event.relatedTarget) && form.matches(":popover-open")) form.hidePopover();
});

// Chips and orders are links to the same page with another question; the next of them takes the place of one that goes.
results.addEventListener("click", async (event) => {
  const link = event.target.closest("#chips a, #sorts a");
  const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (elsewhere || link?.pathname !== location.pathname) return;
  event.preventDefault();
  const part = link.closest("[data-live]");
  const at = [...part.querySelectorAll("a")].indexOf(link);
  if (!(await show(link.href)) || document.activeElement !== heading) return;
  const links = [...part.querySelectorAll("a")];
  (links[at] || links.at(-1) || heading).focus({ preventScroll: true });
});

addEventListener("popstate", () => {
  const [here, there] = [location.href, shown].map((each) => each.split("#")[0]);
  if (here !== there) show(location.href, false);
});
addEventListener("pageshow", (event) => { if (event.persisted) form.reset(); });
