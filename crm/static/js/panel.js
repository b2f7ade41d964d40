// The open panel beside a list: Enter goes into it, Esc closes it and goes back to its row, j and k take it along.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const panel = () => $("[data-panel]");
  const openers = () => [...document.querySelectorAll("[data-row] [data-opens]")];
  const rowOf = (opener) => opener.closest("[data-row]");
  const TYPED = "input:not([type=checkbox]):not([type=radio]):not([type=file]), textarea, select";

  // Which obligation the panel shows, by its address: the list itself is not drawn again.
  let shown = openers().find((opener) => rowOf(opener).getAttribute("aria-selected") === "true") || null;
  let focusAfter = null;
  let walking = 0;

  function mark(opener) {
    shown = opener;
    openers().forEach((one) => {
      if (one === opener) rowOf(one).setAttribute("aria-selected", "true");
      else rowOf(one).removeAttribute("aria-selected");
    });
  }

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      // A click by script is a walk with j or k: the focus stays on the row.
      focusAfter = event.isTrusted ? "panel" : null;
      mark(opener);
    } else if (event.target.closest("[data-closes]")) focusAfter = "row";
  });

  document.addEventListener("row:walked", (event) => {
    const opener = $("[data-opens]", event.target);
    if (!opener || !panel()) return;
    // Held down, the key runs through the list; only the row where it rests is asked for.
    window.clearTimeout(walking);
    walking = window.setTimeout(() => opener !== shown && opener.click(), 150);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !panel() || $("dialog[open], details[data-menu][open], details.cp-more[open]")) return;
    const typing = document.activeElement.matches(TYPED);
    if (typing && !panel().contains(document.activeElement)) return;
    event.preventDefault();
    // The first Esc leaves the field, so that nobody loses what is being typed to one key.
    if (typing) panel().focus();
    else $("[data-closes]", panel()).click();
  }, true);

  // The pressed × is gone with the panel it closed, so no event of its own request reaches the page any more.
  new MutationObserver(() => {
    if (focusAfter === "panel") panel()?.focus({ preventScroll: true });
    if (focusAfter === "row" || !panel()) {
      const back = shown?.isConnected ? shown : null;
      mark(null);
      if (focusAfter === "row" || document.activeElement === document.body) back?.focus();
    }
    focusAfter = null;
  }).observe($("#side").parentElement, { childList: true });

  // A panel that came with the page is where one wanted to go; a field with an error has the focus already.
  if (panel() && document.activeElement === document.body) panel().focus({ preventScroll: true });
})();
