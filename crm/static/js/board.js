// The board of rungs: a card is dragged onto the pool's column, or moved by a menu; the server decides, the card returns.
(() => {
  "use strict";
  const { $, dragByGrip, whileAsked } = window.crm;
  const lane = $("[data-takes]");
  if (!lane) return;

  dragByGrip({ lane: "[data-takes]", takes: () => true, dropped: send });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "m" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const card = document.activeElement?.closest("[data-card]") || $("[data-card].on");
    const menu = card && $("details.move", card);
    if (!menu) return;
    event.preventDefault();
    menu.open = true;
    $("button", menu).focus();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-move-form]");
    if (!form) return;
    event.preventDefault();
    // Before the page's own handler holds the form: one press, one request, and the menu closes.
    event.stopImmediatePropagation();
    const card = form.closest("[data-card]");
    form.closest("details").open = false;
    send(card);
  }, true);

  function send(card) {
    whileAsked(card, async () => {
      const answer = await fetch(card.dataset.move, {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": $('meta[name="csrf-token"]')?.content || "", "X-Requested-With": "fetch" },
      });
      const page = document.createElement("template");
      page.innerHTML = await answer.text();
      if (answer.ok && !answer.redirected) return proposed(card, page.content);
      const said = $("[data-said]", page.content) || $("main .note, main p", page.content);
      return said?.textContent.trim() || "没有办成，卡片回到原处。刷新页面再试。";
    });
  }

  function proposed(card, content) {
    const toast = $("[data-toast]", content);
    const pill = $(".pill", content);
    $("#toasts").replaceChildren(toast);
    document.dispatchEvent(new CustomEvent("crm:toasts"));
    if (pill) card.children[1]?.prepend(pill);
    $("[data-grip]", card)?.remove();
    $("details.move", card)?.remove();
    card.removeAttribute("data-card");
    const count = $("[data-proposed-n]", lane);
    if (count) {
      count.textContent = String(Number(count.textContent) + 1);
      $("[data-proposed]", lane).hidden = false;
    }
    $("a[href]", card)?.focus();
    return null;
  }
})();
