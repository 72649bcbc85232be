// Tabs, messages and downloads: the small parts around the views.

const parts = {
  // Each tab names the class of the box that it shows; the boxes are other widgets' business.
  tabs(model, root) {
    const list = make("div", { class: "tabs", role: "tablist", "aria-label": model.get("label") });
    root.append(list);
    const choose = (name) => { model.set("chosen", name); model.save_changes(); };
    const draw = () => {
      const chosen = model.get("chosen"), tabs = model.get("items");
      const held = list.contains(document.activeElement);
      list.replaceChildren(...tabs.map(([name, label]) => make("button", {
        type: "button", role: "tab", text: label, "data-name": name, "aria-selected": String(name === chosen),
        tabindex: name === chosen ? 0 : -1, onclick: () => choose(name) })));
      if (held) list.querySelector('[aria-selected="true"]')?.focus();
      name();
    };
    // The boxes are drawn by others, perhaps later than the tabs.
    let tries = 0;
    const name = () => {
      const panel = root.closest(".spineq-panel");
      for (const [name, label] of model.get("items")) {
        const box = panel?.querySelector(`.spineq-tab-${name}`);
        box?.setAttribute("role", "tabpanel");
        box?.setAttribute("aria-label", label);
      }
      if (!panel && tries++ < 50) setTimeout(name, 100);
    };
    list.addEventListener("keydown", (event) => {
      const names = model.get("items").map(([name]) => name);
      const at = names.indexOf(model.get("chosen"));
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(names[(to + names.length) % names.length]);
    });
    draw();
    return { "change:chosen": draw, "change:items": draw };
  },

  messages(model, root) {
    const draw = () => {
      root.replaceChildren(...model.get("items").map((item) => {
        const box = make("div", { class: `message ${item.kind}`, role: item.kind === "bad" ? "alert" : "status", "data-kind": item.kind });
        const close = item.name ? make("button", { type: "button", text: "Close", "aria-label": "Close this message", onclick: () => model.send({ close: item.name }) }) : null;
        box.append(make("div", { class: "line" }, make("span", { text: item.text }), close));
        if (item.details) box.append(make("details", {}, make("summary", { text: "Details" }), make("pre", { text: item.details, tabindex: 0 })));
        return box;
      }));
    };
    draw();
    return { "change:items": draw };
  },

  // Text with headings, made of text alone: nothing in it is taken for HTML.
  text(model, root) {
    const draw = () => root.replaceChildren(...model.get("items").map((item) => make(item.heading ? "h3" : "p", { text: item.text, class: item.kind, "aria-live": item.live ? "polite" : undefined })));
    draw();
    return { "change:items": draw };
  },

  download(model, root) {
    model.on("msg:custom", (message, buffers) => {
      if (!message.file) return;
      const blob = new Blob([buffers[0]], { type: message.type });
      const link = make("a", { href: URL.createObjectURL(blob), download: message.file, class: "hidden", text: message.file });
      root.append(link);
      link.click();
      setTimeout(() => { URL.revokeObjectURL(link.href); link.remove(); }, 10000);
    });
    return {};
  },

  // Says when the panel is on a page and when it is not any more.
  presence(model, root) {
    model.send({ views: 1 });
    return {};
  },
};

export default {
  render({ model, el }) {
    const part = model.get("part");
    const root = make("div", { class: `spineq ${part}` });
    el.append(root);
    const listen = parts[part](model, root);
    for (const [event, handler] of Object.entries(listen)) model.on(event, handler);
    return () => {
      for (const [event, handler] of Object.entries(listen)) model.off(event, handler);
      if (part === "presence") model.send({ views: -1 });
    };
  },
};
