// The little that a page does by itself: toasts, forms, choosing firms. No page needs it in order to work.
// Drafts are kept by drafts.js, files made ready by files.js; they use what is laid out in window.crm.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, attributes = {}, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };

  const crm = (window.crm = { $, $$, make, drawIcon, sayInForm, choose });

  // --- toasts: the way back counts down, and waits while somebody is looking at it ---------------------------------
  function startToast(toast) {
    if (toast.dataset.started) return;
    toast.dataset.started = "1";
    let left = Number(toast.dataset.toast) || 10;
    const clock = window.setInterval(() => {
      if (!toast.isConnected) return window.clearInterval(clock);
      if (toast.matches(":hover, :focus-within")) return;
      left -= 1;
      const shown = $("[data-left]", toast);
      if (shown) shown.textContent = String(left);
      if (left <= 0) {
        window.clearInterval(clock);
        toast.remove();
      }
    }, 1000);
  }

  document.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest("[data-toast]")?.remove());

  // --- forms ----------------------------------------------------------------------------------------------------
  const buttonsOf = (form) => [...form.elements].filter((element) => element.matches("button:not([type=button]), input[type=submit]"));
  const isPost = (form) => form.method === "post";

  function release(form) {
    delete form.dataset.sending;
    delete form.dataset.asked;
    buttonsOf(form).forEach((button) => {
      if (button.dataset.held) {
        button.disabled = false;
        button.removeAttribute("aria-busy");
        delete button.dataset.held;
      }
    });
    [...form.elements].forEach((element) => {
      if (element.dataset.dropped) {
        element.disabled = false;
        delete element.dataset.dropped;
      }
    });
  }

  // A form that htmx sends is asked once as well: htmx listens on the form itself, so this has to come before it.
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (!(form instanceof HTMLFormElement) || !form.hasAttribute("hx-post")) return;
      if (form.dataset.asked) {
        event.preventDefault();
        event.stopImmediatePropagation();
      } else form.dataset.asked = "1";
    },
    true,
  );

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !(form instanceof HTMLFormElement)) return;
    if (form.hasAttribute("data-sign-out")) crm.drafts?.forgetAll();
    if (!isPost(form)) {
      // An address without empty filters can be read, kept and sent on.
      [...form.elements].forEach((element) => {
        if (element.name && element.value === "" && !element.disabled) {
          element.disabled = true;
          element.dataset.dropped = "1";
        }
      });
      window.setTimeout(() => release(form), 1000);
      return;
    }
    if (form.dataset.sending) return event.preventDefault();
    if (navigator.onLine === false) {
      event.preventDefault();
      return sayUnsent(form);
    }
    // Photos are still being made smaller, or nobody has looked yet whether there is a signal: sent a moment later.
    const waits = crm.files?.waits(form) || reachable(form);
    if (waits) {
      event.preventDefault();
      return sendLater(form, event.submitter, waits);
    }
    form.dataset.sending = "1";
    delete form.dataset.reached;
    crm.drafts?.save(form, true);
    // After this turn, so that the pressed button's own name and value still travel with the form.
    window.setTimeout(() => {
      hold(form);
      if (form.hasAttribute("data-download")) window.setTimeout(() => release(form), 4000);
    }, 0);
  });

  function hold(form) {
    buttonsOf(form).forEach((button) => {
      if (button.disabled) return;
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      button.dataset.held = "1";
    });
  }

  async function sendLater(form, button, waits) {
    form.dataset.sending = "1";
    crm.drafts?.save(form);
    hold(form);
    const fine = await waits;
    release(form);
    if (!fine) return sayUnsent(form);
    form.requestSubmit(button && button.form === form ? button : undefined);
  }

  // On a phone a text is worth the one short question whether anybody hears: without an answer the page stays as it is
  // instead of giving way to the browser's own page about the lost net.
  const HEARD_WITHIN_MS = 6000;
  function reachable(form) {
    if (!crm.drafts?.keeps(form) || form.dataset.reached || !window.matchMedia("(max-width: 767px)").matches) return null;
    return fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout?.(HEARD_WITHIN_MS) }).then(
      (answer) => (form.dataset.reached = answer.ok && !answer.redirected ? "1" : "") === "1",
      () => false,
    );
  }

  function sayUnsent(form) {
    const kept = crm.drafts?.keeps(form);
    crm.drafts?.save(form);
    sayInForm(form, "soon", "cloud-off", kept ? "没有信号。文字已存在本机，连上后点“保存”即可。" : "没有信号，没有送出。连上后再点一次。").dataset.offline = "";
    $("[data-said]", form).scrollIntoView({ block: "center", behavior: "instant" });
  }

  window.addEventListener("pageshow", () => $$("form").forEach(release));

  window.addEventListener("online", () => {
    $$("[data-said][data-offline]").forEach((note) => {
      const form = note.closest("form");
      note.remove();
      sayInForm(form, "acc", "info-circle", "信号回来了，文字还在。点“保存”即可。");
    });
  });

  function sayInForm(form, css, icon, text) {
    let note = $("[data-said]", form);
    if (!note) {
      note = make("div", { class: `note ${css} mb-3`, role: "status", "data-said": "" });
      note.append(drawIcon(icon), make("span", { class: "grow" }));
      form.prepend(note);
    }
    else note.className = `note ${css} mb-3`;
    $("span", note).textContent = text;
    return note;
  }

  function drawIcon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "i");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
  }

  // A filter applies when it is changed; the button stays for those without scripts.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.hasAttribute("data-auto-submit")) form.requestSubmit();
    if (event.target.matches("[data-select-all]")) {
      const table = event.target.closest("table, form");
      $$("tbody input[type=checkbox]", table).forEach((box) => {
        if (box.checked !== event.target.checked) box.click();
      });
    }
    if (event.target.matches("[data-tick-column]")) {
      const place = Number(event.target.dataset.tickColumn);
      [...event.target.closest("table").tBodies[0].rows].forEach((line) => {
        const box = $("input[type=checkbox]", line.cells[place] || line);
        if (box && line.cells[place]) box.checked = event.target.checked;
      });
    }
    const row = event.target.matches("td input[type=checkbox]") && event.target.closest("tr");
    if (row) row.setAttribute("aria-selected", String(event.target.checked));
  });

  // The database was busy: the page came back filled in and is sent once more with the same request key.
  function retryBusy() {
    $$("form[data-retry-busy]").forEach((form) => {
      const key = `retried:${form.elements.request_key?.value || form.action}`;
      if (window.sessionStorage.getItem(key)) return window.sessionStorage.removeItem(key);
      window.sessionStorage.setItem(key, "1");
      sayInForm(form, "soon", "refresh", "正在自动再存一次。");
      window.setTimeout(() => form.isConnected && form.requestSubmit(), 1500);
    });
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-find-in]") && !event.isComposing) lookUp(event.target);
  });
  document.addEventListener("compositionend", (event) => event.target.matches("[data-find-in]") && lookUp(event.target));

  // --- choosing firms by two characters or initials -----------------------------------------------------------------
  let lookTimer = 0;
  function lookUp(input) {
    window.clearTimeout(lookTimer);
    const picker = input.closest("[data-picker]");
    const found = $("[data-found]", picker);
    const q = input.value.trim();
    if (!q) return found.replaceChildren();
    lookTimer = window.setTimeout(async () => {
      const address = new URL(picker.dataset.picker, window.location.href);
      address.searchParams.set("q", q);
      try {
        const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
        if (input.value.trim() !== q) return;
        if (answer.redirected) return found.replaceChildren(make("div", { class: "c s13 mute" }, "登录已过期。填的都存在本机，重新登录后接着填。"));
        if (!answer.ok) throw new Error(String(answer.status));
        found.innerHTML = await answer.text();
      } catch {
        if (input.value.trim() === q) lookNear(picker, found, q.toLowerCase());
      }
    }, 180);
  }

  // Without a signal, among the firms that came with the page: by name, initials or pinyin.
  const MOST_NEAR = 8;
  function lookNear(picker, found, q) {
    const near = [...($("template[data-near]", picker)?.content.children || [])].filter((line) => line.dataset.keys.includes(q));
    found.replaceChildren(...near.slice(0, MOST_NEAR).map((line) => line.cloneNode(true)));
    found.append(make("div", { class: "c s13 mute" }, near.length ? "没有信号，只找了自己的企业。" : "没有信号，自己的企业里没找到。稍后再输一次。"));
  }

  function choose(picker, value, label) {
    const chosen = $("[data-chosen]", picker);
    if (picker.hasAttribute("data-single")) chosen.replaceChildren();
    if ($$("input[type=hidden]", chosen).some((input) => input.value === value)) return;
    const chip = make("span", { class: "fchip" });
    const remove = make("button", { type: "button", class: "x", "data-unpick": "", "aria-label": `去掉${label}` });
    remove.append(drawIcon("x"));
    chip.append(make("span", {}, label), make("input", { type: "hidden", name: picker.dataset.name, value }), remove);
    chosen.append(chip);
    picker.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function pick(button) {
    const picker = button.closest("[data-picker]");
    choose(picker, button.dataset.pick, button.dataset.label);
    const input = $("[data-find-in]", picker);
    input.value = "";
    $("[data-found]", picker).replaceChildren();
    input.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick]");
    if (button) return pick(button);
    const unpick = event.target.closest("[data-unpick]");
    if (unpick) {
      const picker = unpick.closest("[data-picker]");
      unpick.closest(".fchip").remove();
      picker.dispatchEvent(new Event("input", { bubbles: true }));
      $("[data-find-in]", picker).focus();
    }
    const setter = event.target.closest("[data-set-value]");
    if (setter) {
      const field = document.getElementById(setter.dataset.setFor);
      field.value = setter.dataset.setValue;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      $$(`[data-set-for="${CSS.escape(setter.dataset.setFor)}"]`).forEach((other) => other.setAttribute("aria-pressed", String(other === setter)));
    }
  });

  document.addEventListener("keydown", (event) => {
    const picker = event.target.closest?.("[data-picker]");
    if (!picker || event.isComposing) return;
    const options = $$("[data-pick]", picker);
    const at = options.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && options.length) {
      event.preventDefault();
      options[Math.min(at + 1, options.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (at === 0 ? $("[data-find-in]", picker) : options[at - 1]).focus();
    } else if (event.key === "Enter" && event.target.matches("[data-find-in]")) {
      event.preventDefault();
      if (options.length) pick(options[0]);
    } else if (event.key === "Backspace" && event.target.matches("[data-find-in]") && !event.target.value) {
      $("[data-chosen] .fchip:last-child", picker)?.remove();
    }
  });

  // --- htmx ------------------------------------------------------------------------------------------------------
  document.addEventListener("htmx:config:request", (event) => {
    const token = $('meta[name="csrf-token"]')?.content;
    if (token) event.detail.ctx.request.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.target.closest?.("form");
    if (!form) return;
    release(form);
    const answer = event.detail?.ctx?.response;
    if (isPost(form) && answer && answer.status < 400) crm.drafts?.forget(form);
  });
  document.addEventListener("htmx:after:process", () => {
    $$("[data-toast]").forEach(startToast);
    // A line that was acted on takes the focus its button had, so that the keyboard goes on from there.
    const acted = $(".line:is(.settled, .opened):not([data-met])");
    if (!acted) return;
    acted.dataset.met = "";
    if (document.activeElement === document.body) (acted.classList.contains("opened") && $(".again input:not([type=hidden])", acted) || $(".again textarea", acted) || $(".again select, .do a", acted))?.focus();
  });
  // Whoever puts a toast on the page without htmx says so.
  document.addEventListener("crm:toasts", () => $$("[data-toast]").forEach(startToast));

  // --- a page that waits for a job asks again by itself -------------------------------------------------------------
  function poll() {
    const waiting = $("[data-reload]");
    if (!waiting) return;
    window.setTimeout(() => (document.hidden ? poll() : window.location.reload()), 1000 * (Number(waiting.dataset.reload) || 2));
  }

  // What scrolls sideways can be scrolled by keyboard as well.
  function reachScrollers() {
    $$(".cp-scroll").forEach((box) => {
      if (box.scrollWidth > box.clientWidth && !box.hasAttribute("tabindex")) box.tabIndex = 0;
    });
  }

  // A row of tabs does not hide the one that is open.
  function showCurrentTab() {
    $$(".views").forEach((tabs) => {
      const current = $("[aria-current]", tabs);
      if (current && tabs.scrollWidth > tabs.clientWidth) tabs.scrollLeft = current.offsetLeft - tabs.offsetLeft - 40;
    });
  }

  // A page may have been open for hours when it is printed; its foot says when that was.
  window.addEventListener("beforeprint", () => {
    const now = new Date();
    const two = (n) => String(n).padStart(2, "0");
    const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
    $$("[data-printed]").forEach((place) => (place.textContent = `${day} ${two(now.getHours())}:${two(now.getMinutes())}`));
  });

  // What was refused is where one looks: the first field with an error, which a bar at the foot may have covered.
  function showFirstError() {
    const wrong = $(":is(form, fieldset) .is-bad:not([data-sample] *)");
    const field = wrong && $("input:not([type=hidden]), select, textarea", wrong);
    const note = wrong ? null : $("[data-panel] .note.bad[role=alert]");
    if (field) field.focus({ preventScroll: true });
    (wrong || note)?.scrollIntoView({ block: "center", behavior: "instant" });
  }

  const start = () => {
    showCurrentTab();
  reachScrollers();
    showFirstError();
    $$("[data-toast]").forEach(startToast);
    retryBusy();
    poll();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
