// 复制为文字: copies the text of a field whose id stands in data-copy, also where the clipboard is closed to plain http.
(() => {
  "use strict";
  async function copy(text, field) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    field.select();
    if (!document.execCommand("copy")) throw new Error("copy");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    const said = button.querySelector("[data-copy-said]") || button;
    const before = said.textContent;
    try {
      await copy(field.value, field);
      said.textContent = "已复制";
    } catch {
      said.textContent = "复制不了，选中后按 Ctrl+C";
      field.classList.remove("visually-hidden");
      field.focus();
      field.select();
    }
    button.focus();
    window.setTimeout(() => (said.textContent = before), 3000);
  });
})();
