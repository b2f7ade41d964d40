// Light or dark before the first paint, so that nothing flashes, and whether scripts run at all; follows the machine while the page is open.
(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  apply();
  dark.addEventListener("change", apply);
  // A control that says by script what was chosen is only drawn where there is one.
  document.documentElement.classList.add("js");
})();
