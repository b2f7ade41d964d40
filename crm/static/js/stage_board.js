// The board of applications: a card is dragged to a stage it may go to. The server decides; a card that may not go comes
// back with the reason. Without this script the same is done by "移到…".
(() => {
  "use strict";
  const { $, dragByGrip, whileAsked } = window.crm;
  const board = $("[data-stage-board]");
  if (!board) return;

  // stage → whether such a step needs its reason in words
  const waysOf = (card) => new Map(card.dataset.ways.trim().split(/\s+/).filter(Boolean).map((way) => [way.replace("!", ""), way.endsWith("!")]));

  dragByGrip({ lane: "[data-stage]", takes: (card, lane) => waysOf(card).has(lane.dataset.stage), dropped });

  function dropped(card, lane) {
    const to = lane.dataset.stage;
    const back = window.location.pathname + window.location.search;
    if (waysOf(card).get(to)) {
      window.location.assign(`${card.dataset.step}?${new URLSearchParams({ to, back })}`);
      return;
    }
    whileAsked(card, async () => {
      const data = new FormData();
      data.set("csrf_token", $('meta[name="csrf-token"]')?.content || "");
      data.set("request_key", Array.from(window.crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join(""));
      data.set("to_stage", to);
      data.set("happened_on", board.dataset.today);
      data.set("version", card.dataset.version);
      data.set("stage", card.dataset.at);
      data.set("back", back);
      const answer = await fetch(card.dataset.step, { method: "POST", body: data, headers: { Accept: "application/json" }, credentials: "same-origin" });
      const told = await answer.json();
      if (!answer.ok) return told.said;
      // Where it went is seen at once; the page that comes has it in its place.
      lane.querySelector(".h").after(card);
      window.location.assign(told.to);
      return null;
    });
  }
})();
