// The list as a grid: choosing rows across pages, editing a cell in its place, orders by Shift and click, order of columns.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const grid = $("[data-grid]");

  // Columns are moved by buttons that only a script can offer.
  $$(".col-o").forEach((line) => {
    const name = line.textContent.trim();
    for (const [attribute, word, glyph] of [["data-up", "往前移", "↑"], ["data-down", "往后移", "↓"]]) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", title: word, textContent: glyph });
      button.setAttribute(attribute, "");
      button.setAttribute("aria-label", name + word);
      line.append(button);
    }
  });

  // --- several orders; the order of columns --------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const head = event.shiftKey && event.target.closest("a[data-also]");
    if (head) {
      event.preventDefault();
      window.location.assign(head.dataset.also);
    }
    const mover = event.target.closest("[data-up], [data-down]");
    if (mover) {
      event.preventDefault();
      const line = mover.closest(".col-o");
      if (mover.hasAttribute("data-up")) line.previousElementSibling?.before(line);
      else line.nextElementSibling?.after(line);
      mover.focus();
    }
  });

  if (!grid) return;

  // Looking for another word keeps the columns and the order one works with.
  $$("[data-find]").forEach((box) => {
    if (!box.form || new URL(box.form.action).pathname !== window.location.pathname) return;
    for (const [name, value] of new URLSearchParams(grid.dataset.shape)) {
      if (!["columns", "sort"].includes(name)) continue;
      const kept = document.createElement("input");
      Object.assign(kept, { type: "hidden", name, value });
      box.form.append(kept);
    }
  });

  // --- which firms are chosen: kept for this filter until it changes, so that it survives turning the page ----------------
  const form = $("#selected");
  const total = Number(grid.dataset.total);
  const KEPT = `picked:${document.body.dataset.viewer}:${window.location.pathname}`;
  const nothing = () => ({ filter: grid.dataset.grid, ids: [], all: false, out: [] });
  let picked = nothing();

  function recall() {
    try {
      const kept = JSON.parse(window.sessionStorage.getItem(KEPT) || "null");
      // A toast says that something was just done with the chosen ones.
      if (kept?.filter === grid.dataset.grid && !$("#toasts [data-toast]")) picked = kept;
    } catch {
      picked = nothing();
    }
    if (picked.all && picked.total !== total) picked = nothing();
  }

  function keep() {
    try {
      window.sessionStorage.setItem(KEPT, JSON.stringify(picked));
    } catch {
      return;
    }
  }

  const isPicked = (id) => (picked.all ? !picked.out.includes(id) : picked.ids.includes(id));
  const boxes = () => $$("tbody input[name=pick]", grid);
  const pickedCount = () => (picked.all ? total - picked.out.length : picked.ids.length);

  function showPicked() {
    if (!form) return;
    boxes().forEach((box) => {
      box.checked = isPicked(box.value);
      const row = box.closest("tr");
      // Where a panel stands beside the list, aria-selected says which row it shows.
      if (row.matches("[data-row]")) row.classList.toggle("picked", box.checked);
      else row.setAttribute("aria-selected", String(box.checked));
    });
    const all = $("[data-select-all]", grid);
    const ticked = boxes().filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
    const count = pickedCount();
    $("[data-count]", form).textContent = count.toLocaleString("en");
    $("input[name=all]", form).checked = picked.all;
    $("[data-ids]", form).value = picked.all ? "" : picked.ids.join(",");
    $("[data-left-out]", form).value = picked.out.join(",");
    form.classList.toggle("on", count > 0);
  }

  function tick(id, on) {
    const list = picked.all ? "out" : "ids";
    const listed = picked.all ? !on : on;
    picked[list] = picked[list].filter((other) => other !== id);
    if (listed) picked[list].push(id);
  }

  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-grid] tbody input[name=pick]");
    if (!box) return;
    const all = boxes();
    if (event.shiftKey && last && all.includes(last)) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((one) => tick(one.value, box.checked));
    }
    last = box;
    tick(box.value, box.checked);
    keep();
    showPicked();
  });

  if (form) {
    document.addEventListener(
      "change",
      (event) => {
        if (event.target.matches("[data-grid] [data-select-all]")) {
          boxes().forEach((box) => tick(box.value, event.target.checked));
          event.stopPropagation();
        } else if (event.target === $("input[name=all]", form)) {
          picked = { ...nothing(), all: event.target.checked, total };
          if (!picked.all) picked.ids = [];
        } else return;
        keep();
        showPicked();
      },
      true,
    );
    $("[data-clear]", form).addEventListener("click", () => {
      picked = nothing();
      keep();
      showPicked();
    });
    // The ticks of other pages travel in one field; those of this page stand in it as well.
    form.addEventListener("submit", (event) => {
      boxes().forEach((box) => (box.disabled = true));
      window.setTimeout(() => boxes().forEach((box) => (box.disabled = false)), 0);
      if (event.submitter?.hasAttribute("data-stay")) window.setTimeout(() => delete form.dataset.sending, 3000);
    });
    window.addEventListener("pageshow", () => {
      recall();
      showPicked();
    });
    recall();
    showPicked();
  }

  // --- editing a cell where it stands --------------------------------------------------------------------------------
  let open = null; // {cell, was, code}
  let wanted = null; // the code last edited: e goes to the same column in the next row

  const send = (address, options = {}) =>
    fetch(address, { credentials: "same-origin", headers: { "HX-Request": "true" }, ...options });

  const cellsOf = (row) => $$("[data-cell]", row).filter((cell) => cell.getClientRects().length);

  async function edit(cell) {
    if (open?.cell === cell) return;
    if (open && !leave()) return;
    const row = cell.closest("tr");
    const was = [...cell.childNodes];
    wanted = cell.dataset.cell;
    cell.setAttribute("aria-busy", "true");
    try {
      const answer = await send(grid.dataset.cells.replace("*", row.dataset.id) + cell.dataset.cell);
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      open = { cell, was, row };
      show(await answer.text());
    } catch {
      say("打不开这一格，可能没有信号，或已不归你改。稍后再试。");
    } finally {
      cell.removeAttribute("aria-busy");
    }
  }

  function show(html) {
    open.cell.innerHTML = html;
    open.cell.classList.add("editing");
    const field = fieldOf();
    open.start = field.value;
    field.focus();
    if (field.select && field.matches("input")) field.select();
    const more = $(".cell-more", open.cell);
    more.classList.toggle("left", more.getBoundingClientRect().right > document.documentElement.clientWidth - 8);
    more.classList.toggle("up", more.getBoundingClientRect().bottom > window.innerHeight - 8);
  }

  const fieldOf = () => $("[data-editor] :is(input:not([type=hidden]), select, textarea)", open.cell);

  // Typed text is not dropped by a click elsewhere: the editor stays until it is saved or left on purpose.
  function leave(force = false) {
    if (!open) return true;
    if (!force && fieldOf().value !== open.start) {
      fieldOf().focus();
      return false;
    }
    const { cell, was, row } = open;
    open = null;
    cell.classList.remove("editing");
    cell.replaceChildren(...was);
    $("a[href]", row)?.focus({ preventScroll: true });
    return true;
  }

  async function save(then) {
    const { cell, row } = open;
    const editor = $("[data-editor]", cell);
    if (editor.dataset.busy) return;
    editor.dataset.busy = "1";
    const body = new FormData(editor);
    body.set("asked", grid.dataset.shape);
    try {
      const answer = await send(editor.action, { method: "POST", body: new URLSearchParams(body) });
      if (answer.redirected) throw new Error("signed out");
      if (answer.ok) {
        const { row: html, toast } = await answer.json();
        const fresh = document.createElement("template");
        fresh.innerHTML = html;
        const line = fresh.content.querySelector("tr");
        open = null;
        row.replaceWith(line);
        window.htmx?.process(line);
        line.classList.add("on");
        $("a[href]", line)?.focus({ preventScroll: true });
        if (form) showPicked();
        else $(".tick", line)?.remove();
        if (toast) addToast(toast);
        then?.(line);
      } else if ([409, 422].includes(answer.status)) {
        const typed = open.start;
        show(await answer.text());
        open.start = typed;
      } else throw new Error(String(answer.status));
    } catch {
      delete editor.dataset.busy;
      sayInEditor("没有存上，可能没有信号。字还在，过一会儿再按一次保存。");
    }
  }

  function sayInEditor(text) {
    const more = $(".cell-more", open.cell);
    let note = $("[data-lost]", more);
    if (!note) {
      note = document.createElement("div");
      note.className = "field-e";
      note.dataset.lost = "";
      note.setAttribute("role", "alert");
      more.prepend(note);
    }
    note.textContent = text;
  }

  function addToast(html) {
    const box = $("#toasts");
    box.replaceChildren();
    box.insertAdjacentHTML("beforeend", html);
    box.dispatchEvent(new CustomEvent("crm:toasts", { bubbles: true }));
  }

  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast-u";
    toast.setAttribute("role", "status");
    toast.dataset.toast = "10";
    toast.textContent = text;
    addToast(toast.outerHTML);
  };

  document.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("[data-grid] [data-cell]");
    if (!cell || event.target.closest("[data-editor]")) return;
    // A link that covers its whole row stands in one cell only: two clicks beside that cell do not mean it.
    const { left, right } = cell.getBoundingClientRect();
    if (event.clientX < left || event.clientX > right) return;
    window.getSelection()?.removeAllRanges();
    edit(cell);
  });

  // Two clicks on a cell open its editor, so one click on it must not lead to the firm's page at once.
  let leading = 0;
  document.addEventListener(
    "click",
    (event) => {
      const cell = event.target.closest("[data-grid] td[data-cell]");
      if (!cell || event.target.closest("a, button, input, select, textarea, label")) return;
      event.preventDefault();
      window.clearTimeout(leading);
      if (cell.classList.contains("editing") || event.detail > 1 || event.button !== 0) return;
      const row = cell.closest("tr");
      const { href } = row.dataset;
      const aside = event.ctrlKey || event.metaKey;
      leading = window.setTimeout(() => {
        if (open || String(window.getSelection())) return;
        if (!href) return void $("[data-opens]", row)?.click();
        if (aside) window.open(href, "_blank", "noopener");
        else window.location.assign(href);
      }, 280);
    },
    true,
  );
  document.addEventListener("dblclick", () => window.clearTimeout(leading), true);

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-editor]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    save();
  }, true);

  document.addEventListener("click", (event) => event.target.closest("[data-leave]") && leave(true));

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const editing = open && event.target.closest?.("[data-editor]");
    if (editing) {
      if (event.key === "Escape") {
        event.preventDefault();
        leave(true);
      } else if (event.key === "Enter" && !event.target.matches("button") && (!event.target.matches("textarea") || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        save();
      } else if (event.key === "Tab" && event.target === fieldOf() && !$(".cell-nature, .cell-clash", open.cell)) {
        event.preventDefault();
        const codes = cellsOf(open.row).map((cell) => cell.dataset.cell);
        const next = codes[codes.indexOf(open.cell.dataset.cell) + (event.shiftKey ? -1 : 1)];
        const go = (line) => next && edit($(`[data-cell="${CSS.escape(next)}"]`, line));
        if (fieldOf().value === open.start) {
          const { row } = open;
          leave(true);
          go(row);
        } else save(go);
      }
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
    const row = $("tr.on[data-id]", grid);
    if (event.key === "e" && row) {
      const found = cellsOf(row);
      const cell = found.find((one) => one.dataset.cell === wanted) || found[0];
      if (!cell) return;
      event.preventDefault();
      edit(cell);
    } else if (event.key === "v" && row && $("[data-may-visit]")) {
      event.preventDefault();
      window.location.assign(`/visits/new?enterprise=${row.dataset.enterprise || row.dataset.id}`);
    } else if (event.key === "m" && form?.classList.contains("on")) {
      event.preventDefault();
      const menu = $("[data-key-menu]", form);
      menu.open = true;
      $("button", menu).focus();
    }
  }, true);

  window.addEventListener("beforeunload", (event) => {
    if (open && fieldOf() && fieldOf().value !== open.start) event.preventDefault();
  });
})();
