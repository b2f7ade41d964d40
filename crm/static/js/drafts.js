// Typed text is never lost: it is kept on this machine until the page says that it was saved. Every form that sends a
// text of several lines is kept, by its address or by the name in data-draft; no page needs it in order to work.
(() => {
  "use strict";
  const { $, $$, make, sayInForm, choose } = window.crm;
  const DRAFT = "draft:";
  const OLDEST_MS = 30 * 24 * 3600 * 1000;
  // What a form shows of a stored record: an old text goes on from what was seen then, so that the server can tell
  // whether somebody else changed the same field meanwhile.
  const SEEN = ["version", "seen", "shown"];

  // What a form carries unseen for itself; everything else unseen says what its text is about.
  const OWN = new Set(["csrf_token", "request_key", "theirs", "back", "line", ...SEEN]);
  const ISO_DAY = /^\d{4}-\d\d-\d\d$/;

  function nameOf(form) {
    if (form.hasAttribute("data-no-draft") || form.method !== "post") return "";
    if (form.dataset.draft) return form.dataset.draft;
    if (!form.querySelector("textarea")) return "";
    const path = new URL(form.getAttribute("action") || window.location.href, window.location.href).pathname;
    // One address takes the visits of all firms: the lines of a desk send to it, each for its own.
    const about = [...form.elements].filter((e) => e.type === "hidden" && e.name && e.value && !OWN.has(e.name) && !ISO_DAY.test(e.value) && !e.closest("[data-picker]"));
    return [path, ...about.map((e) => `${e.name}=${e.value}`).sort()].join("&");
  }
  const keeps = (form) => Boolean(document.body.dataset.viewer && nameOf(form));
  const keyOf = (form) => `${DRAFT}${document.body.dataset.viewer}:${nameOf(form)}`;

  // A second text for the same form waits in a place of its own while the first one is still on offer.
  const slotOf = (form) => keyOf(form) + (form.dataset.second ? "|2" : "");

  const isText = (element) => element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
  const draftable = (element) =>
    element.name && element.name !== "csrf_token" && element.name !== "request_key" && !element.closest("[data-picker]") &&
    element.matches("input:not([type=hidden]):not([type=password]):not([type=file]):not([type=submit]), textarea, select");
  const valueOf = (element) => (isText(element) ? element.value : element.checked ? element.value : "");
  const plain = (text) => String(text).replace(/\r\n/g, "\n").trim();
  const isStored = (form) => Number(form.elements.version?.value) > 0;
  const picksOf = (picker) => $$("[data-chosen] .fchip", picker).map((chip) => [$("input", chip).value, $("span", chip).textContent]);
  const ids = (picks) => picks.map(([value]) => value).sort().join(",");

  function initial(element) {
    if (element.matches("select")) return ([...element.options].find((option) => option.defaultSelected) || element.options[0])?.value || "";
    return isText(element) ? element.defaultValue : element.defaultChecked ? element.value : "";
  }

  // What counts as not typed: what was seen of the stored record, or for a new one an empty field.
  function untyped(form, element) {
    let seen = {};
    try {
      seen = JSON.parse(form.elements.seen?.value || "{}");
    } catch {
      seen = {};
    }
    if (element.name in seen) return seen[element.name];
    return isStored(form) ? initial(element) : "";
  }

  function read(key) {
    try {
      return JSON.parse(window.localStorage.getItem(key) || "null");
    } catch {
      return null;
    }
  }

  function write(key, draft) {
    // A full or forbidden store must not stop anybody from working.
    try {
      window.localStorage.setItem(key, JSON.stringify(draft));
    } catch {
      return;
    }
  }

  function keys() {
    try {
      return Object.keys(window.localStorage).filter((key) => key.startsWith(DRAFT));
    } catch {
      return [];
    }
  }

  const forgetWhere = (so) => keys().filter(so).forEach((key) => window.localStorage.removeItem(key));
  const forgetAll = () => forgetWhere(() => true);
  const forget = (form) => window.localStorage.removeItem(slotOf(form));

  function save(form, sent = false) {
    if (!keeps(form)) return;
    const fields = {};
    let words = false;
    [...form.elements].filter(draftable).forEach((element) => {
      // A round button that is not chosen says nothing; the chosen one of its group does.
      if (element.type === "radio" && !element.checked) return;
      const value = valueOf(element);
      if (plain(value) === plain(untyped(form, element))) return;
      fields[element.name] ||= [];
      if (value || isText(element)) fields[element.name].push(value);
      words ||= isStored(form) || element.matches("textarea, input[type=text], input[type=search]");
    });
    const picks = {};
    $$("[data-picker]", form).forEach((picker) => (picks[picker.dataset.name] = picksOf(picker)));
    const seen = {};
    SEEN.forEach((name) => form.elements[name]?.type === "hidden" && (seen[name] = form.elements[name].value));
    // A day or a kind alone is no text that anybody would miss.
    if (!words) return forget(form);
    write(slotOf(form), { fields, picks, seen, sent, at: Date.now() });
  }

  function restore(form) {
    if (!keeps(form)) return;
    for (const second of ["", "1"]) {
      form.dataset.second = second;
      const draft = read(slotOf(form));
      if (!draft?.fields) continue;
      const others = $$("[data-picker]", form).some((picker) => {
        const here = picksOf(picker);
        const there = draft.picks?.[picker.dataset.name] || [];
        return here.length && there.length && ids(here) !== ids(there);
      });
      if (others && !isStored(form)) return offerToGoOn(form, draft);
      return bring(form, draft);
    }
    form.dataset.second = "";
  }

  function bring(form, draft) {
    let brought = 0;
    for (const [name, values] of Object.entries(draft.fields)) {
      [...form.elements].filter((element) => element.name === name && draftable(element)).forEach((element, i) => {
        // What the browser itself brought back stands.
        if (valueOf(element) !== initial(element)) return;
        if (!isText(element)) {
          if (values.includes(element.value) === element.checked) return;
          element.checked = values.includes(element.value);
        } else if (values[i] === undefined || plain(values[i]) === plain(element.value)) return;
        else element.value = values[i];
        brought += 1;
      });
    }
    $$("[data-picker]", form).forEach((picker) => {
      const picks = draft.picks?.[picker.dataset.name] || [];
      if (!picks.length || ids(picks) === ids(picksOf(picker))) return;
      $("[data-chosen]", picker).replaceChildren();
      picks.forEach(([value, label]) => choose(picker, value, label));
      brought += 1;
    });
    if (!brought) return;
    for (const [name, value] of Object.entries(draft.seen || {})) if (form.elements[name]) form.elements[name].value = value;
    [...form.elements].filter((element) => element.id).forEach((element) =>
      $$(`[data-set-for="${CSS.escape(element.id)}"]`).forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.setValue === element.value))),
    );
    // It waits for a new try: the page of something else that was saved must not take it away.
    write(slotOf(form), { ...draft, sent: false });
    const files = $("input[type=file]", form) ? "照片和文件要重新选。" : "";
    const note = sayInForm(form, "acc", "info-circle", `上次没存上的文字已经填回来（${when(draft)}）。${files}`);
    note.append(dropper(form));
    const folded = form.closest("details");
    if (folded) folded.open = true;
  }

  // The page was opened for one firm, the text was meant for another: nobody's text is put under somebody else's name.
  function offerToGoOn(form, draft) {
    const names = Object.values(draft.picks).flat().map(([, label]) => label);
    const note = sayInForm(form, "acc", "info-circle", `还有一条没存上的文字：${names[0]}${names.length > 1 ? ` 等 ${names.length} 家` : ""}，${when(draft)}。`);
    const go = make("button", { type: "button", class: "btn btn-sm btn-q" }, "接着写它");
    const slot = form.dataset.second;
    go.addEventListener("click", () => {
      form.dataset.second = slot;
      note.remove();
      bring(form, draft);
    });
    note.append(go, dropper(form));
    form.dataset.second = slot ? "" : "1";
  }

  function dropper(form) {
    const key = slotOf(form);
    const drop = make("button", { type: "button", class: "btn btn-sm btn-q" }, "丢掉");
    drop.addEventListener("click", () => {
      // Nothing that still waits for its moment may bring it back before the page is drawn anew.
      form.setAttribute("data-no-draft", "");
      window.localStorage.removeItem(key);
      window.location.reload();
    });
    return drop;
  }

  function when(draft) {
    const at = new Date(draft.at || Date.now());
    const two = (n) => String(n).padStart(2, "0");
    return `${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  }

  let timer = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.form || event.target.closest?.("form");
    if (!form || !keeps(form)) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => save(form), 400);
  });
  // A tab that is closed or put aside at once keeps the last words as well.
  document.addEventListener("visibilitychange", () => document.hidden && $$("form").filter((form) => form.dataset.typed).forEach((form) => save(form, Boolean(form.dataset.sending))));
  document.addEventListener("input", (event) => {
    const form = event.target.form || event.target.closest?.("form");
    if (form) form.dataset.typed = "1";
  });

  // Turning away from a stored record on purpose drops what was typed over it; a new text waits for its writer.
  document.addEventListener("click", (event) => {
    const form = event.target.closest(".savebar a")?.closest("form");
    if (!form || !isStored(form)) return;
    delete form.dataset.typed;
    window.clearTimeout(timer);
    forget(form);
  });

  window.crm.drafts = { keeps, save, forget, forgetAll };

  if ($("#toasts [data-toast]")) forgetWhere((key) => read(key)?.sent);
  forgetWhere((key) => Date.now() - (read(key)?.at || 0) > OLDEST_MS);
  $$("form").forEach(restore);
  // A form that htmx brought later: the panel of a due item, the line of a desk.
  document.addEventListener("htmx:after:process", (event) => {
    if (event.target instanceof Element) $$("form", event.target).filter((form) => !form.dataset.typed && !form.dataset.brought).forEach((form) => {
      form.dataset.brought = "1";
      restore(form);
    });
  });
})();
