// A card is dragged by its grip onto a lane, by mouse or by finger; what then happens, and what a card that comes back
// says, the boards have in common. No page needs it in order to work.
(() => {
  "use strict";
  const { $, make } = window.crm;
  // A finger trembles; so far it is a press and no drag.
  const THRESHOLD = 6;
  // On a phone one lane fills the screen: near its edge the others come along.
  const EDGE = 32;

  // ``lane`` is the selector of what a card may be dropped on; ``takes(card, lane)`` whether it shows that it takes the
  // card; ``dropped(card, lane)`` is called for any of them, because it is the server that decides.
  function dragByGrip({ lane, takes, dropped }) {
    let held = null;
    const lanes = () => [...document.querySelectorAll(lane)];
    const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest(lane);

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
      const { board, card } = held;
      if (event.clientX > window.innerWidth - EDGE) board.scrollLeft += EDGE / 2;
      else if (event.clientX < EDGE) board.scrollLeft -= EDGE / 2;
      const x = event.clientX - held.x + board.scrollLeft - held.scroll;
      const y = event.clientY - held.y;
      if (!held.moved && Math.hypot(x, y) < THRESHOLD) return;
      held.moved = true;
      card.classList.add("lift");
      // An animation that stays at its end: a style attribute is what our CSP forbids.
      held.flight?.cancel();
      held.flight = card.animate([{ transform: `translate(${x}px, ${y}px)` }], { duration: 0, fill: "forwards" });
      const over = under(event);
      lanes().forEach((one) => {
        const may = takes(card, one);
        one.classList.toggle("drop", may);
        one.classList.toggle("over", may && one === over);
      });
    });

    function letGo() {
      const { card, flight } = held;
      card.classList.remove("lift");
      flight?.cancel();
      lanes().forEach((one) => one.classList.remove("drop", "over"));
      held = null;
      return card;
    }

    document.addEventListener("pointerup", (event) => {
      if (!held || event.pointerId !== held.id) return;
      const onto = held.moved && under(event);
      const card = letGo();
      if (onto && !onto.contains(card)) dropped(card, onto);
    });
    document.addEventListener("pointercancel", () => held && letGo());
    document.addEventListener("keydown", (event) => event.key === "Escape" && held && letGo());
  }

  // While the server decides: one request at a time, and the card says so. ``ask`` gives null when it is done, else why not.
  async function whileAsked(card, ask) {
    if (card.dataset.sending) return;
    card.dataset.sending = "1";
    card.setAttribute("aria-busy", "true");
    $("[data-said]", card)?.remove();
    const said = await ask().catch(() => "没有送到，可能没有信号，或登录已过期。卡片回到原处，刷新再试。");
    delete card.dataset.sending;
    card.removeAttribute("aria-busy");
    if (said) card.append(make("div", { class: "note bad", role: "alert", "data-said": "" }, said));
  }

  Object.assign(window.crm, { dragByGrip, whileAsked });
})();
