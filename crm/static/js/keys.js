// Keys, rows that lead somewhere, and menus that close beside themselves. No page needs it in order to work.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const visible = (element) => element.getClientRects().length > 0;

  // --- keys -----------------------------------------------------------------------------------------------------
  let wentG = 0;

  const isTyping = (target) =>
    target instanceof Element && (target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, dialog[open]") || target.isContentEditable);

  const rows = () => $$("tr[data-href], .line[data-href], [data-row]").filter(visible);
  const handle = (row) => $("a[href]", row) || row;

  function moveRow(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.classList.contains("on"));
    const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step))];
    all.forEach((row) => row.classList.toggle("on", row === next));
    const target = handle(next);
    if (target === next && !next.hasAttribute("tabindex")) next.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
    next.dispatchEvent(new CustomEvent("row:walked", { bubbles: true }));
  }

  function currentRow() {
    return rows().find((row) => row.classList.contains("on"));
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      openMenus().forEach(closeMenu);
      if (document.activeElement?.matches?.("[data-find]")) document.activeElement.blur();
      return;
    }
    if (isTyping(event.target)) return;
    if (wentG && Date.now() - wentG < 1200) {
      wentG = 0;
      const link = $(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
        return;
      }
    }
    wentG = 0;
    const act = { "/": find, "?": showKeys, j: () => moveRow(1), k: () => moveRow(-1), x: tick, Enter: openRow }[event.key];
    if (event.key === "g") wentG = Date.now();
    else if (act) {
      if (act() !== false) event.preventDefault();
    } else if (/^[a-z]$/.test(event.key)) {
      const verb = `[data-key="${event.key}"]`;
      // The row one stands on has its own; else the page's, of which the visible one counts.
      const target = (currentRow() && $(verb, currentRow())) || $$(verb).sort((a, b) => visible(b) - visible(a))[0];
      if (target) {
        event.preventDefault();
        target.click();
      }
    }
  });

  function find() {
    const box = $$("[data-find]").find(visible);
    if (!box) return false;
    box.focus();
    box.select();
    return true;
  }

  function showKeys() {
    const dialog = $("#keys");
    if (!dialog?.showModal) return false;
    // A key is only listed where there is something for it to do.
    $$("[data-with]", dialog).forEach((line) => (line.hidden = !$(line.dataset.with)));
    if (!dialog.open) dialog.showModal();
    return true;
  }

  function tick() {
    const box = currentRow() && $("input[type=checkbox]", currentRow());
    if (!box) return false;
    box.click();
    return true;
  }

  function openRow() {
    const row = currentRow();
    if (!row || document.activeElement?.closest("a, button, summary, input, [tabindex]") !== row) return false;
    follow(row.dataset.href);
    return true;
  }

  // --- menus close beside themselves ------------------------------------------------------------------------------
  const openMenus = () => $$("details.cp-more[open], details[data-menu][open]");
  // What the head's ⋯ opens stands beside it, because a wide screen shows the same buttons without a menu.
  const boxOf = (menu) => (menu.parentElement.matches("[data-menu-box]") ? menu.parentElement : menu);

  function closeMenu(menu) {
    if (boxOf(menu).contains(document.activeElement)) $("summary", menu).focus();
    menu.removeAttribute("open");
  }

  // --- rows that lead somewhere ---------------------------------------------------------------------------------
  const follow = (href, aside) => href && (aside ? window.open(href, "_blank", "noopener") : window.location.assign(href));

  document.addEventListener("click", (event) => {
    const shut = event.target.closest("[data-close-menu]")?.closest("details");
    if (shut) closeMenu(shut);
    if (event.target.closest("[data-close-dialog]")) event.target.closest("dialog")?.close();
    openMenus().forEach((menu) => {
      if (!boxOf(menu).contains(event.target) || event.target.closest(".head-sheet a[href]")) menu.removeAttribute("open");
    });
    if (event.target.closest("[data-print]")) window.print();
    const row = event.target.closest("tr[data-href], .line[data-href]");
    if (!row || event.defaultPrevented || event.button !== 0) return;
    if (event.target.closest("a, button, input, label, select, textarea, summary, form")) return;
    if (String(window.getSelection())) return;
    follow(row.dataset.href, event.ctrlKey || event.metaKey);
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("tr[data-href], .line[data-href], [data-row]");
    if (row) rows().forEach((other) => other.classList.toggle("on", other === row));
  });
})();
