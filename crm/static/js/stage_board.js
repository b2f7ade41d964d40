// The board of applications: a card is dragged by its grip to a stage it may go to. The server decides; a card that may
// not go comes back with the reason. Without this script the same is done by "移到…".
(() => {
  "use strict";
  const board = document.querySelector("[data-stage-board]");
  if (!board) return;
  const said = document.querySelector("[data-board-said]");
  const lanes = [...board.querySelectorAll("[data-stage]")];
  let card = null;

  const waysOf = (one) => new Map(one.dataset.ways.trim().split(/\s+/).filter(Boolean).map((way) => [way.replace("!", ""), way.endsWith("!")]));

  function say(text) {
    said.replaceChildren();
    if (!text) return;
    const note = document.createElement("div");
    note.className = "note bad mb-3";
    const words = document.createElement("span");
    words.className = "grow";
    words.textContent = text;
    note.append(words);
    said.append(note);
    said.scrollIntoView({ block: "nearest" });
  }

  function end() {
    card?.classList.remove("lift");
    lanes.forEach((lane) => lane.classList.remove("drop", "over"));
    card = null;
  }

  board.addEventListener("dragstart", (event) => {
    const grip = event.target.closest?.("[data-grip]");
    card = grip?.closest("[data-application]") || null;
    if (!card) return;
    const name = card.querySelector(".nm")?.textContent.trim() || "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", name);
    event.dataTransfer.setDragImage(card, card.offsetWidth - 12, 12);
    card.classList.add("lift");
    const ways = waysOf(card);
    lanes.forEach((lane) => lane.classList.toggle("drop", ways.has(lane.dataset.stage)));
  });

  board.addEventListener("dragover", (event) => {
    const lane = card && event.target.closest?.("[data-stage]");
    lanes.forEach((one) => one.classList.toggle("over", one === lane && one.classList.contains("drop")));
    if (!lane) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  });

  board.addEventListener("dragend", end);

  board.addEventListener("drop", async (event) => {
    const lane = card && event.target.closest?.("[data-stage]");
    if (!lane) return;
    event.preventDefault();
    const moved = card;
    end();
    if (lane.contains(moved)) return;
    const to = lane.dataset.stage;
    const back = window.location.pathname + window.location.search;
    if (waysOf(moved).get(to)) {
      // Such a step needs its reason in words.
      window.location.assign(`${moved.dataset.step}?${new URLSearchParams({ to, back })}`);
      return;
    }
    const home = moved.nextSibling;
    const from = moved.parentElement;
    lane.querySelector(".h").after(moved);
    moved.classList.add("lift");
    const reason = await send(moved, to, back);
    if (reason === null) return;
    from.insertBefore(moved, home);
    moved.classList.remove("lift");
    say(reason);
  });

  // Null when it is done and the page goes on; else why it was not.
  async function send(moved, to, back) {
    const data = new FormData();
    data.set("csrf_token", document.querySelector('meta[name="csrf-token"]')?.content || "");
    data.set("request_key", Array.from(window.crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join(""));
    data.set("to_stage", to);
    data.set("happened_on", board.dataset.today);
    data.set("version", moved.dataset.version);
    data.set("stage", moved.dataset.at);
    data.set("back", back);
    try {
      const answer = await fetch(moved.dataset.step, { method: "POST", body: data, headers: { Accept: "application/json" }, credentials: "same-origin" });
      const told = await answer.json();
      if (answer.ok) {
        window.location.assign(told.to);
        return null;
      }
      return told.said;
    } catch {
      return "没有送到，可能没有信号，或登录已过期。刷新后再拖一次。";
    }
  }
})();
