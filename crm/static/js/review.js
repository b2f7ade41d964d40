// The checklist of a review: the rest of a group answered at once, and how many points are still open. Works without.
(() => {
  "use strict";
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const isOpen = (point) => !point.querySelector("input[type=radio]:checked");

  function count() {
    $$("[data-open-points]").forEach((place) => {
      const form = document.getElementById(place.dataset.openPoints);
      if (!form) return;
      const open = $$("fieldset.pt", form).filter(isOpen).length;
      place.textContent = open ? `还有 ${open} 条没答` : "都答了";
    });
  }

  function show() {
    $$("[data-answer-rest]").forEach((button) => {
      button.hidden = !$$("fieldset.pt", button.closest("[data-points]")).some(isOpen);
    });
    count();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-answer-rest]");
    if (!button) return;
    $$("fieldset.pt", button.closest("[data-points]"))
      .filter(isOpen)
      .forEach((point) => {
        const wanted = point.querySelector(`input[value="${CSS.escape(button.dataset.answerRest)}"]`);
        if (wanted) wanted.checked = true;
      });
    show();
  });
  document.addEventListener("change", (event) => event.target.closest("fieldset.pt") && show());
  // The panel is exchanged by htmx, and a line of the desk opened by it: what is new gets its buttons too.
  document.addEventListener("htmx:after:process", show);
  show();
})();
