// A form from a description: labelled native inputs, each with a sentence of help and its error.
// The description is `fields`; what is entered is `values`; `errors` and `notes` go by field.

function copied(button, text) {
  const said = button.textContent;
  const done = () => {
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = said), 1500);
  };
  const byHand = () => {
    const area = make("textarea", { class: "hidden" });
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    done();
  };
  // A page that is not served securely has no clipboard.
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
  else byHand();
}

export default {
  render({ model, el }) {
    const root = make("div", { class: "spineq form" });
    el.append(root);
    // Every widget has a module of its own, so that a counter would not tell them apart.
    const id = `spineq-${Math.random().toString(36).slice(2, 10)}`;
    let parts = {};
    const folds = {};

    // What the person entered stays on the page until the kernel's values have it: an answer that
    // was on its way before the click must not take the click back, nor the click the answer.
    let mine = {}, serial = 0;
    const entered = () => {
      const [view, seen] = model.get("seen") || [];
      const waits = Object.entries(mine).filter(([, each]) => view !== id || each.serial > seen);
      mine = Object.fromEntries(waits);
      return Object.fromEntries(waits.map(([name, each]) => [name, each.value]));
    };
    const values = () => ({ ...model.get("values"), ...entered() });
    const put = (name, value) => {
      mine[name] = { value, serial: ++serial };
      model.set("entered", { view: id, serial, values: entered() });
      model.save_changes();
      renew();
    };
    const press = (name, value) => model.send({ press: name, value });

    function range(field, name, value, onValue, label) {
      const slider = make("input", {
        type: "range", min: field.min, max: field.max, step: field.step ?? 1,
        "aria-label": label, id: field.log ? undefined : name,
      });
      const number = make("input", {
        type: "number", min: field.hard_min ?? field.min, max: field.hard_max, step: field.any ? "any" : field.step ?? 1,
        "aria-label": label ?? undefined, id: label ? undefined : `${name}-number`,
      });
      const set = (given) => {
        if (document.activeElement !== number) number.value = given ?? "";
        if (document.activeElement !== slider || Number(slider.value) !== given) slider.value = given ?? field.min;
      };
      slider.addEventListener("input", () => {
        number.value = slider.value;
        onValue(Number(slider.value));
      });
      number.addEventListener("input", () => {
        if (number.value === "") return onValue(null);
        slider.value = number.value;
        onValue(Number(number.value));
      });
      set(value);
      return { slider, number, set };
    }

    const kinds = {
      range(field, name) {
        const label = field.label;
        const made = range(field, name, values()[field.name], (value) => put(field.name, value), label);
        const line = make("div", { class: "line" }, made.slider, made.number, field.unit ? make("span", { text: field.unit }) : null);
        return { body: [line], inputs: [made.slider, made.number], set: made.set, group: true };
      },
      number(field, name) {
        const input = make("input", { type: "number", id: name, min: field.min, max: field.max, step: field.step ?? "any", placeholder: field.placeholder });
        input.addEventListener("input", () => put(field.name, input.value === "" ? null : Number(input.value)));
        const set = (value) => { if (document.activeElement !== input) input.value = value ?? ""; };
        set(values()[field.name]);
        return { body: [make("div", { class: "line" }, input, field.unit ? make("span", { text: field.unit }) : null)], inputs: [input], set };
      },
      text(field, name) {
        const input = make("input", { type: "text", id: name, placeholder: field.placeholder, maxlength: field.most });
        input.addEventListener("input", () => put(field.name, input.value));
        input.addEventListener("keydown", (event) => { if (event.key === "Enter" && field.enter) press(field.enter); });
        const set = (value) => { if (document.activeElement !== input) input.value = value ?? ""; };
        set(values()[field.name]);
        return { body: [input], inputs: [input], set };
      },
      select(field, name) {
        const select = make("select", { id: name },
          ...field.options.map(([value, text]) => make("option", { value, text })));
        select.addEventListener("change", () => put(field.name, select.value));
        const set = (value) => { select.value = value ?? ""; };
        set(values()[field.name]);
        return { body: [select], inputs: [select], set };
      },
      check(field, name) {
        const box = make("input", { type: "checkbox", id: name });
        box.addEventListener("change", () => put(field.name, box.checked));
        const set = (value) => { box.checked = Boolean(value); };
        set(values()[field.name]);
        return { before: box, body: [], inputs: [box], set };
      },
      groups(field, name) {
        const list = make("div");
        let now = "";
        const change = (rows) => { now = ""; put(field.name, rows); draw(rows); };
        function row(group, k, rows) {
          const who = make("select", { "aria-label": `Group ${k + 1}: who` },
            ...field.options.map(([value, text]) => make("option", { value, text })));
          who.value = group.who;
          who.addEventListener("change", () => change(rows.map((each, j) => (j === k ? { ...each, who: who.value } : each))));
          // Sliders change their own row alone, so that they are not drawn anew under the pointer.
          const alter = (part) => {
            const mine = (values()[field.name] || []).map((each, j) => (j === k ? { ...each, ...part(each) } : each));
            now = JSON.stringify(mine);
            put(field.name, mine);
          };
          const lines = [make("div", { class: "line" }, who,
            make("button", { type: "button", text: "Remove", "aria-label": `Remove group ${k + 1}`, disabled: rows.length < 2,
              onclick: () => change(rows.filter((_, j) => j !== k)) }))];
          if (group.who === "ages") {
            for (const [j, word] of [[0, "From age"], [1, "to age"]]) {
              const made = range({ min: 0, max: 90, step: 1, hard_max: 90 }, "", group.ages[j],
                (value) => alter((each) => ({ ages: each.ages.map((age, i) => (i === j ? value : age)) })), `Group ${k + 1}: ${word.toLowerCase()}, years`);
              lines.push(make("div", { class: "line" }, make("span", { text: word, style: "width:4.5em" }), made.slider, made.number));
            }
          }
          const weight = range({ min: 0, max: 5, step: 0.1, any: true, hard_min: 0 }, "", group.weight,
            (value) => alter(() => ({ weight: value })), `Group ${k + 1}: weight`);
          lines.push(make("div", { class: "line" }, make("span", { text: "Weight", style: "width:4.5em" }), weight.slider, weight.number));
          return make("div", { class: "group", role: "group", "aria-label": `Group ${k + 1}` }, ...lines);
        }
        function draw(rows) {
          const text = JSON.stringify(rows);
          if (text === now) return;
          now = text;
          list.replaceChildren(
            ...rows.map((group, k) => row(group, k, rows)),
            make("button", { type: "button", text: "Add a group", disabled: rows.length >= field.most,
              onclick: () => change([...rows, { who: "ages", ages: [0, 15], weight: 1 }]) }),
          );
        }
        draw(values()[field.name] || []);
        return { body: [list], inputs: [], set: (rows) => draw(rows || []), group: true };
      },
    };

    function draw() {
      const focused = root.contains(document.activeElement) ? document.activeElement.id : "";
      parts = {};
      const holders = [root];
      root.replaceChildren();
      for (const field of model.get("fields")) {
        const holder = holders[holders.length - 1];
        const name = `${id}-${field.name}`;
        if (field.kind === "heading") { holder.append(make("h3", { text: field.label })); continue; }
        if (field.kind === "fold") {
          const fold = make("details", { open: folds[field.name] ?? field.open, "data-name": field.name });
          fold.addEventListener("toggle", () => { folds[field.name] = fold.open; });
          fold.append(make("summary", { text: field.label }));
          root.append(fold);
          holders.push(fold);
          continue;
        }
        if (field.kind === "end") { holders.pop(); continue; }
        if (field.kind === "say") {
          const said = make("div", { class: "message", "aria-live": field.quiet ? undefined : "polite" });
          holder.append(said);
          parts[field.name] = { note: said, wrong: null, inputs: [], set() {}, whole: true };
          continue;
        }
        if (field.kind === "code") {
          const pre = make("pre", { tabindex: 0, "aria-label": field.label });
          const button = make("button", { type: "button", text: "Copy", "aria-label": `Copy ${field.label}`, onclick: () => copied(button, pre.textContent) });
          holder.append(make("div", { class: "line" }, make("span", { class: "legend", text: field.label }), button), pre);
          parts[field.name] = { note: pre, wrong: null, inputs: [], set() {}, code: true };
          continue;
        }
        if (field.kind === "buttons") {
          const line = make("div", { class: "buttons" });
          for (const each of field.buttons) {
            line.append(make("button", { type: "button", text: each.label, title: each.title, class: each.primary ? "primary" : undefined,
              id: `${id}-${each.name}`, "data-name": each.name, "data-off": each.disabled, "aria-pressed": each.toggle ? "false" : undefined, onclick: () => press(each.name) }));
          }
          holder.append(line);
          if (field.help) holder.append(make("div", { class: "help", text: field.help }));
          continue;
        }
        const made = kinds[field.kind](field, name);
        const help = field.help ? make("div", { class: "help", id: `${name}-help`, text: field.help }) : null;
        const note = make("div", { class: "note", id: `${name}-note` });
        const wrong = make("div", { class: "wrong", id: `${name}-wrong`, role: "alert" });
        const label = made.group
          ? make("span", { class: "legend", id: `${name}-label`, text: field.label })
          : make("label", { for: name, text: field.label });
        for (const input of made.inputs) {
          input.setAttribute("aria-describedby", `${name}-help ${name}-note ${name}-wrong`);
          if (field.disabled) input.disabled = true;
        }
        const box = make("div", { class: `field ${field.kind}${field.inline ? " inline" : ""}`, "data-name": field.name, role: made.group ? "group" : undefined, "aria-labelledby": made.group ? `${name}-label` : undefined },
          made.before ?? null, label, ...made.body, note, help, wrong);
        holder.append(box);
        parts[field.name] = { ...made, note, wrong };
      }
      tell();
      hide();
      if (focused) root.querySelector(`#${CSS.escape(focused)}`)?.focus();
    }

    function tell() {
      const errors = model.get("errors") || {}, notes = model.get("notes") || {};
      for (const [name, part] of Object.entries(parts)) {
        const note = notes[name] ?? "";
        if (part.note.textContent !== note) part.note.textContent = note;
        if (part.whole) part.note.style.display = note ? "" : "none";
        if (!part.wrong) continue;
        const wrong = errors[name] ?? "";
        if (part.wrong.textContent !== wrong) part.wrong.textContent = wrong;
        for (const input of part.inputs) {
          if (wrong) input.setAttribute("aria-invalid", "true");
          else input.removeAttribute("aria-invalid");
        }
      }
    }

    function hide() {
      const names = model.get("hidden") || [];
      for (const each of root.querySelectorAll(".field[data-name], .buttons button, details[data-name]")) {
        each.style.display = names.includes(each.dataset.name) ? "none" : "";
      }
      const off = model.get("disabled") || [];
      for (const each of root.querySelectorAll(".buttons button")) each.disabled = "off" in each.dataset || off.includes(each.dataset.name);
      const on = model.get("pressed") || [];
      for (const each of root.querySelectorAll(".buttons button[aria-pressed]")) {
        each.setAttribute("aria-pressed", String(on.includes(each.dataset.name)));
      }
    }

    const renew = () => {
      const now = values();
      for (const [name, part] of Object.entries(parts)) part.set(now[name]);
    };
    const listen = [["change:fields", draw], ["change:values", renew], ["change:seen", renew], ["change:errors", tell], ["change:notes", tell],
      ["change:hidden", hide], ["change:disabled", hide], ["change:pressed", hide]];
    for (const [event, handler] of listen) model.on(event, handler);
    draw();
    return () => { for (const [event, handler] of listen) model.off(event, handler); };
  },
};
