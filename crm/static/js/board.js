// The board: a card is dragged by its grip onto the pool's column, or moved by a menu; the server decides, the card returns.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const lane = $("[data-takes]");
  if (!lane) return;
  // A finger trembles; so far it is a press and no drag.
  const THRESHOLD = 6;
  // On a phone one column fills the screen: near its edge the others come along.
  const EDGE = 32;
  let held = null;

  const over = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-takes]");

  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip || event.button !== 0 || held) return;
    event.preventDefault();
    const card = grip.closest("[data-card]");
    const board = card.closest(".board");
    held = { card, board, scroll: board.scrollLeft, id: event.pointerId, x: event.clientX, y: event.clientY, moved: false };
    grip.setPointerCapture(event.pointerId);
  });

  document.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { board } = held;
    if (event.clientX > window.innerWidth - EDGE) board.scrollLeft += EDGE / 2;
    else if (event.clientX < EDGE) board.scrollLeft -= EDGE / 2;
    const x = event.clientX - held.x + board.scrollLeft - held.scroll;
    const y = event.clientY - held.y;
    if (!held.moved && Math.hypot(x, y) < THRESHOLD) return;
    held.moved = true;
    held.card.classList.add("lift");
    // An animation that stays at its end: a style attribute is what our CSP forbids.
    held.flight?.cancel();
    held.flight = held.card.animate([{ transform: `translate(${x}px, ${y}px)` }], { duration: 0, fill: "forwards" });
    lane.classList.toggle("drop", Boolean(over(event)));
  });

  const drop = () => {
    const { card } = held;
    card.classList.remove("lift");
    held.flight?.cancel();
    lane.classList.remove("drop");
    held = null;
    return card;
  };

  document.addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const onto = held.moved && over(event);
    const card = drop();
    if (onto) send(card);
  });
  document.addEventListener("pointercancel", () => held && drop());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && held) return drop();
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

  async function send(card) {
    if (card.dataset.sending) return;
    card.dataset.sending = "1";
    card.setAttribute("aria-busy", "true");
    $("[data-said]", card)?.remove();
    try {
      const answer = await fetch(card.dataset.move, {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": $('meta[name="csrf-token"]')?.content || "", "X-Requested-With": "fetch" },
      });
      const page = document.createElement("template");
      page.innerHTML = await answer.text();
      if (answer.ok && !answer.redirected) proposed(card, page.content);
      else returned(card, $("[data-said]", page.content) || $("main .note, main p", page.content));
    } catch {
      returned(card, null);
    } finally {
      delete card.dataset.sending;
      card.removeAttribute("aria-busy");
    }
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
  }

  function returned(card, said) {
    const note = document.createElement("div");
    note.className = "note bad";
    note.setAttribute("role", "alert");
    note.dataset.said = "";
    note.textContent = said?.textContent.trim() || "没有办成，卡片回到原处。刷新页面再试。";
    card.append(note);
  }
})();
