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
