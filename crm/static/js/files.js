// Files about to be sent: their names and sizes, and photos made smaller before they leave. Drawing a photo anew also
// leaves behind what the camera wrote into it, such as where it was taken. No page needs it in order to work.
(() => {
  "use strict";
  const { $, $$, make, drawIcon } = window.crm;
  // Long enough that the small print of a page can be read, short enough for one bar of signal.
  const LONGEST_PX = 2000;
  const QUALITY = 0.82;
  const PHOTO = /^image\/(jpeg|png|webp|hei[cf])$/;
  const chosen = new WeakMap(); // input → files as they will be sent
  const working = new WeakMap(); // form → what is not finished yet

  function size(bytes) {
    if (bytes < 1024) return `${bytes} 字节`;
    if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(0)} KB`;
    return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  }

  function show(input, more = "") {
    const place = $("[data-file-info]", input.closest(".field, form") || document);
    if (!place) return;
    const limit = Number(input.dataset.maxMb || 0);
    const told = [...input.files].map((file) => `${file.name} · ${size(file.size)}`);
    const over = limit && [...input.files].filter((file) => file.size > limit * 1024 * 1024);
    const names = over.length ? over.map((file) => `“${file.name}”`).join("、") : "";
    place.textContent = (told.join("；") || "没有选文件") + (names ? `。${names}超过 ${limit} MB，读不了。压缩或拆开再选。` : "") + more;
    place.classList.toggle("t-bad", Boolean(names));
    place.classList.toggle("mute", !told.length);
    input.setCustomValidity(names ? `${names}超过 ${limit} MB。` : "");
  }

  async function smaller(file) {
    if (!PHOTO.test(file.type)) return file;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const by = Math.min(1, LONGEST_PX / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * by));
      canvas.height = Math.max(1, Math.round(picture.height * by));
      const pen = canvas.getContext("2d");
      // A transparent picture stands on paper, not on black.
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      const drawn = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
      if (!drawn) return file;
      return new File([drawn], file.name.replace(/\.[^.]+$/, "") + ".jpg", { type: "image/jpeg", lastModified: file.lastModified });
    } catch {
      // What this browser cannot draw goes as it is; the server says what it thinks of it.
      return file;
    }
  }

  function asData(file) {
    return new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.onerror = () => done("");
      reader.readAsDataURL(file);
    });
  }

  function put(input, files) {
    const carrier = new DataTransfer();
    files.forEach((file) => carrier.items.add(file));
    input.files = carrier.files;
    chosen.set(input, files);
    show(input);
  }

  async function draw(input) {
    const shots = $("[data-shots]", input.closest("form"));
    if (!shots) return;
    const squares = await Promise.all(
      chosen.get(input).map(async (file, at) => {
        const square = make("span", { class: "shot" });
        if (file.type.startsWith("image/")) square.append(make("img", { src: await asData(file), alt: file.name }));
        square.append(make("span", { class: "s12", title: file.name }, file.name));
        const remove = make("button", { type: "button", class: "x", "aria-label": `去掉${file.name}` });
        remove.append(drawIcon("x"));
        remove.addEventListener("click", () => {
          put(input, chosen.get(input).filter((_, i) => i !== at));
          draw(input);
        });
        square.append(remove);
        return square;
      }),
    );
    shots.replaceChildren(...squares);
    shots.hidden = !squares.length;
  }

  async function take(input) {
    const before = input.multiple ? chosen.get(input) || [] : [];
    const fresh = [...input.files];
    const info = $("[data-file-info]", input.closest(".field, form"));
    if (info && fresh.length) info.textContent = `正在压缩 ${fresh.length} 份…`;
    const made = await Promise.all(fresh.map(smaller));
    put(input, [...before, ...made]);
    await draw(input);
    return true;
  }

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches?.("input[type=file]")) return;
    if (!input.hasAttribute("data-shrink")) return show(input);
    const form = input.form;
    const job = take(input).finally(() => working.get(form) === job && working.delete(form));
    working.set(form, job);
  });

  window.crm.files = { waits: (form) => working.get(form) || null };
})();
