// A review's notes are kept while they are written, so that a closed window loses none. Without it a button keeps them.
for (const form of document.querySelectorAll("form[data-notes]")) {
  const said = form.querySelector("[data-notes-said]");
  let timer = 0, waiting = false, sent = Promise.resolve();
  const tell = (text) => { if (said && said.textContent !== text) said.textContent = text; };
  const keep = () => {
    clearTimeout(timer);
    if (!waiting) return;
    waiting = false;
    const body = new URLSearchParams(new FormData(form));
    const send = () => fetch(form.dataset.notes, { method: "POST", body, keepalive: true, redirect: "error" })
      .then((answer) => { if (!answer.ok) throw new Error(); tell(said?.dataset.kept ?? ""); })
      .catch(() => { waiting = true; tell(said?.dataset.lost ?? ""); });
    sent = sent.then(send);
  };
  form.addEventListener("input", () => {
    waiting = true;
    clearTimeout(timer);
    timer = setTimeout(keep, 2000);
  });
  form.addEventListener("submit", () => { waiting = false; clearTimeout(timer); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });
}
