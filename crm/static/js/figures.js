// The grid of figures as a sheet: arrows, Enter, Tab and Esc, a cell saved as it is left, a block pasted into a preview.
// Without this file each year's head leads to the form of that year.
(() => {
  "use strict";
  const table = document.querySelector("[data-figures]");
  if (!table) return;
  const said = document.querySelector("[data-figure-said]");
  const pasteForm = document.getElementById(table.dataset.paste);
  const choices = JSON.parse(document.querySelector("[data-choices]").textContent || "{}");
  const heads = [...table.tHead.rows[0].cells];
  const rows = () => [...table.tBodies[0].rows].filter((row) => row.dataset.code);
  const isCell = (cell) => cell?.tagName === "TD" && cell.parentElement.dataset.code;
  const yearOf = (cell) => heads[cell.cellIndex].dataset.year;
  const codeOf = (cell) => cell.parentElement.dataset.code;
  const ownText = (cell) => (cell.classList.contains("u") ? "" : cell.firstChild?.nodeType === 3 ? cell.firstChild.data : "");
  const typedOf = (cell) => cell.dataset.typed ?? ownText(cell);
  let anchor = null;
  let at = null;

  const at1 = (row, column) => {
    const all = rows();
    if (row < 0 || row >= all.length || column < 1 || column >= heads.length) return null;
    return all[row].cells[column];
  };
  const placeOf = (cell) => [rows().indexOf(cell.parentElement), cell.cellIndex];

  // --- where one stands ------------------------------------------------------------------------------------------
  function mark() {
    table.querySelectorAll("td.foc, td.sel").forEach((cell) => cell.classList.remove("foc", "sel"));
    if (!at) return;
    at.classList.add("foc");
    chosen().flat().forEach((cell) => cell !== at && cell.classList.add("sel"));
  }

  function chosen() {
    const [r1, c1] = placeOf(anchor || at);
    const [r2, c2] = placeOf(at);
    const found = [];
    for (let r = Math.min(r1, r2); r <= Math.max(r1, r2); r += 1) {
      const line = [];
      for (let c = Math.min(c1, c2); c <= Math.max(c1, c2); c += 1) line.push(at1(r, c));
      found.push(line);
    }
    return found;
  }

  function stand(cell, extend = false) {
    if (!isCell(cell)) return;
    if (!extend) anchor = cell;
    if (at && at !== cell) at.tabIndex = -1;
    at = cell;
    at.tabIndex = 0;
    at.focus({ preventScroll: true });
    at.scrollIntoView({ block: "nearest", inline: "nearest" });
    mark();
    tell(cell);
  }

  function tell(cell) {
    if (cell.dataset.wrong) return speak(cell.dataset.wrong, "bad");
    if (!said.hasAttribute("data-asking")) {
      const place = `${yearOf(cell)} 年${cell.parentElement.cells[0].textContent}`;
      const parts = [place, ownText(cell) || "未填", cell.title].filter(Boolean);
      speak(parts.join(" · "), "");
    }
  }

  function speak(text, css) {
    said.hidden = false;
    said.removeAttribute("data-asking");
    said.className = `fig-said${css ? ` t-${css}` : ""}`;
    said.replaceChildren(document.createTextNode(text));
  }

  function step(down, right, extend = false) {
    const [r, c] = placeOf(at);
    const next = at1(r + down, c + right);
    if (next) stand(next, extend);
    return next;
  }

  // What was typed stands in the cell until it is saved or given up; the cell remembers what it held.
  function hold(cell, text) {
    cell.dataset.typed ??= ownText(cell);
    cell.dataset.shown ??= cell.classList.contains("u") ? "未填" : ownText(cell);
    if (cell.firstChild?.nodeType === 3) cell.firstChild.data = text || "清空";
  }

  function giveBack(cell) {
    if (cell.dataset.shown !== undefined) cell.firstChild.data = cell.dataset.shown;
    ["kept", "wrong", "shown", "key"].forEach((name) => delete cell.dataset[name]);
    cell.classList.remove("wrong");
  }

  // --- one cell ------------------------------------------------------------------------------------------------------
  function edit(cell, text = null) {
    if (cell.querySelector(".fig-in") || cell.dataset.sending) return;
    const value = text ?? cell.dataset.kept ?? typedOf(cell);
    const options = choices[codeOf(cell)];
    const box = document.createElement(options ? "select" : "input");
    box.className = "fig-in";
    box.setAttribute("aria-label", `${yearOf(cell)} 年${cell.parentElement.cells[0].textContent}`);
    if (options) {
      ["", ...options].forEach((option) => box.append(new Option(option || "未填", option)));
      box.value = options.includes(value) ? value : "";
    } else {
      box.value = value;
      box.autocomplete = "off";
      box.maxLength = 200;
      if (cell.classList.contains("n") || cell.classList.contains("u")) box.inputMode = "decimal";
    }
    cell.append(box);
    cell.classList.add("editing");
    box.focus();
    if (!options && text === null) box.select();
    box.addEventListener("keydown", inBox);
    box.addEventListener("paste", pasteInto);
    box.addEventListener("blur", () => leave(cell, box));
  }

  function close(cell) {
    cell.querySelector(".fig-in")?.remove();
    cell.classList.remove("editing");
  }

  function leave(cell, box) {
    if (!box.isConnected || box.dataset.done) return;
    box.dataset.done = "1";
    const text = box.value.trim();
    close(cell);
    if (text === typedOf(cell)) return giveBack(cell);
    save(cell, text);
  }

  function inBox(event) {
    const cell = event.target.closest("td");
    if (event.isComposing) return;
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      event.target.dataset.done = "1";
      close(cell);
      giveBack(cell);
      stand(cell);
    } else if (event.key === "Enter") {
      event.preventDefault();
      leave(cell, event.target);
      stand(cell);
      step(event.shiftKey ? -1 : 1, 0);
    } else if (event.key === "Tab") {
      leave(cell, event.target);
      stand(cell);
      if (step(0, event.shiftKey ? -1 : 1)) event.preventDefault();
    }
  }

  const newKey = () => [...window.crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

  async function save(cell, text, seen = null, version = null) {
    const head = heads[cell.cellIndex];
    const form = new FormData();
    const told = {
      csrf_token: document.querySelector('meta[name="csrf-token"]')?.content || "",
      request_key: cell.dataset.key || newKey(),
      year: head.dataset.year,
      code: codeOf(cell),
      text,
      seen: seen ?? typedOf(cell),
      version: version ?? head.dataset.version,
      unit: table.dataset.unit,
    };
    Object.entries(told).forEach(([name, value]) => form.append(name, value));
    hold(cell, text);
    cell.dataset.kept = text;
    cell.dataset.key = told.request_key;
    cell.dataset.sending = "1";
    let answer = null;
    let found = null;
    try {
      answer = await fetch(table.dataset.figures, { method: "POST", body: form, credentials: "same-origin", headers: { Accept: "application/json" } });
      found = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : null;
    } catch {
      answer = null;
    }
    delete cell.dataset.sending;
    if (!answer) return wrong(cell, `没有信号，没有保存。数“${text}”还在这一格，连上后回到这一格按两次回车。`);
    // Another press after an answer is another deed; only one that got none may have been written already.
    delete cell.dataset.key;
    if (found?.html !== undefined) return put(cell, found);
    if (found?.clash) return ask(cell, text, found);
    if (found?.error) return wrong(cell, found.error);
    wrong(cell, answer.status === 401 || answer.redirected ? `登录已过期，没有保存。另开一页登录，再回到这一格按两次回车。` : `没有保存（${answer.status}）。刷新后再填。`);
  }

  function put(cell, found) {
    const head = heads[cell.cellIndex];
    const holder = document.createElement("template");
    holder.innerHTML = `<table><tbody><tr>${found.html}</tr></tbody></table>`;
    const fresh = holder.content.querySelector("td");
    fresh.tabIndex = cell.tabIndex;
    const focused = document.activeElement === cell;
    cell.replaceWith(fresh);
    if (at === cell) at = fresh;
    if (anchor === cell) anchor = fresh;
    head.dataset.version = found.version;
    const ratio = table.querySelector("tr.calc")?.cells[fresh.cellIndex];
    if (ratio) ratio.textContent = found.ratio;
    if (focused) stand(fresh);
    else mark();
    if (found.doubt) speak(found.doubt, "soon");
    if (found.toast) {
      const toasts = document.getElementById("toasts");
      toasts.innerHTML = found.toast;
      document.dispatchEvent(new CustomEvent("crm:toasts"));
    }
  }

  function wrong(cell, sentence) {
    cell.dataset.wrong = sentence;
    cell.classList.add("wrong");
    speak(`${yearOf(cell)} 年${cell.parentElement.cells[0].textContent}：${sentence}`, "bad");
  }

  function ask(cell, text, found) {
    cell.classList.add("wrong");
    speak(found.clash, "");
    said.dataset.asking = "";
    const mine = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-q", textContent: "用我的" });
    const theirs = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-q", textContent: "留现在的" });
    mine.addEventListener("click", () => {
      said.removeAttribute("data-asking");
      save(cell, text, found.theirs, found.version);
    });
    theirs.addEventListener("click", () => {
      said.removeAttribute("data-asking");
      save(cell, found.theirs, found.theirs, found.version);
    });
    said.append(" ", mine, " ", theirs);
    mine.focus();
  }

  // --- keys, pointer, clipboard ------------------------------------------------------------------------------------
  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  table.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (!isCell(cell) || event.isComposing) return;
    if (ARROWS[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      step(...ARROWS[event.key], event.shiftKey);
    } else if (event.key === "Tab") {
      if (step(0, event.shiftKey ? -1 : 1)) event.preventDefault();
    } else if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      event.stopPropagation();
      edit(cell);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      if (chosen().flat().length > 1) send(chosen().map((line) => line.map(() => "清空").join("\t")).join("\n"), chosen()[0][0]);
      else if (typedOf(cell)) save(cell, "");
    } else if (event.key === "Escape") {
      giveBack(cell);
      stand(cell);
    } else if (event.key === "Process") {
      // An input method begins: what it composes goes into the box that has the focus by then.
      event.stopPropagation();
      edit(cell, choices[codeOf(cell)] ? null : "");
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      edit(cell, choices[codeOf(cell)] ? null : event.key);
    }
  });

  table.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest("td");
    if (!isCell(cell) || event.target.closest(".fig-in")) return;
    if (event.shiftKey && at) {
      event.preventDefault();
      stand(cell, true);
    }
  });
  table.addEventListener("click", (event) => {
    const cell = event.target.closest("td");
    if (!isCell(cell) || event.shiftKey || event.target.closest(".fig-in")) return;
    // A first press stands on the cell, a second one opens it; a finger opens at once.
    const again = at === cell || matchMedia("(pointer: coarse)").matches;
    stand(cell);
    if (again) edit(cell);
  });
  table.addEventListener("focusin", (event) => {
    if (isCell(event.target) && at !== event.target) stand(event.target);
  });

  document.addEventListener("copy", (event) => {
    if (!at || document.activeElement !== at) return;
    event.clipboardData.setData("text/plain", chosen().map((line) => line.map(typedOf).join("\t")).join("\n"));
    event.preventDefault();
  });
  document.addEventListener("paste", (event) => {
    if (!at || document.activeElement !== at) return;
    const text = event.clipboardData.getData("text/plain").replace(/[\r\n]+$/, "");
    if (!text) return;
    event.preventDefault();
    if (/[\t\n]/.test(text)) send(text, chosen()[0][0]);
    else save(at, text.trim());
  });

  function pasteInto(event) {
    const text = event.clipboardData.getData("text/plain").replace(/[\r\n]+$/, "");
    if (!/[\t\n]/.test(text)) return;
    event.preventDefault();
    const cell = event.target.closest("td");
    event.target.dataset.done = "1";
    close(cell);
    send(text, cell);
  }

  function send(text, cell) {
    const set = (name, value) => (pasteForm.elements[name].value = value);
    set("text", text);
    set("unit", table.dataset.unit);
    set("years", heads.slice(1).map((head) => head.dataset.year).join(","));
    set("order", rows().map((row) => row.dataset.code).join(","));
    set("at_year", yearOf(cell));
    set("at_code", codeOf(cell));
    pasteForm.requestSubmit();
  }

  window.addEventListener("beforeunload", (event) => {
    if (table.querySelector("td.wrong, td.editing")) event.preventDefault();
  });

  const first = at1(0, heads.length - 1);
  if (first) first.tabIndex = 0;
  rows().forEach((row) => [...row.cells].slice(1).forEach((cell) => cell !== first && (cell.tabIndex = -1)));
})();
