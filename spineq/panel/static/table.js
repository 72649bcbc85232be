// A table of one page of rows; rows are kept by id, and only cells that changed are drawn anew, so
// that neither focus nor scrolling is lost while jobs move.

export default {
  render({ model, el }) {
    const head = make("thead"), body = make("tbody");
    const caption = make("caption");
    const table = make("table", {}, caption, head, body);
    const empty = make("p", { class: "help" });
    const pager = make("div", { class: "pager" });
    const scroll = make("div", { class: "scroll" }, table);
    const root = make("div", { class: "spineq" }, scroll, empty, pager);
    el.append(root);
    // What is wider than its place is scrolled by keyboard too.
    const fit = new ResizeObserver(() => {
      if (scroll.scrollWidth > scroll.clientWidth + 1) {
        scroll.setAttribute("tabindex", "0");
        scroll.setAttribute("role", "region");
        scroll.setAttribute("aria-label", model.get("caption"));
      } else for (const name of ["tabindex", "role", "aria-label"]) scroll.removeAttribute(name);
    });
    fit.observe(scroll);
    fit.observe(table);
    let shown = new Map();

    function cell(column, value, id) {
      if (column.kind === "progress" && value && typeof value === "object") {
        const percent = Math.round(100 * value.fraction);
        const bar = value.bar === false ? null : make("div", { class: "bar", role: "progressbar", "aria-label": value.label ?? "Progress", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent },
          make("div", { style: `width:${percent}%` }));
        return [bar, make("span", { text: value.text }), value.second ? make("span", { class: "second", text: value.second }) : null];
      }
      if (column.kind === "state" && value) return [make("span", { class: `state ${value}`, text: value })];
      if (column.kind === "actions" && value) {
        return [make("div", { class: "actions" }, ...value.map((each) => make("button", {
          type: "button", text: each.label, title: each.title, "aria-label": each.title ?? each.label, "data-action": each.name,
          disabled: each.disabled, onclick: () => model.send({ action: each.name, id }) })))];
      }
      if (value && typeof value === "object") return [make("span", { text: value.text }), make("span", { class: "second", text: value.second })];
      return [document.createTextNode(value ?? "")];
    }

    function renewHead() {
      head.className = model.get("columns").every((column) => column.quiet) ? "quiet" : "";
      const sort = model.get("sort") || {};
      head.replaceChildren(make("tr", {}, ...model.get("columns").map((column) => {
        const mine = sort.key === column.key;
        const mark = mine ? (sort.down ? " ▾" : " ▴") : "";
        const label = column.sortable
          ? make("button", { type: "button", text: column.label + mark, title: "Sort by this column", onclick: () => model.send({ sort: column.key }) })
          : make("span", { text: column.label, class: column.quiet ? "hidden" : undefined });
        return make("th", { scope: "col", class: [column.align, column.narrow === "hide" ? "spineq-narrow-hide" : ""].join(" ").trim() || undefined,
          "aria-sort": mine ? (sort.down ? "descending" : "ascending") : undefined }, label);
      })));
      caption.textContent = model.get("caption");
      caption.className = model.get("quiet") ? "hidden" : "";
      shown = new Map();
      body.replaceChildren();
      renew();
    }

    function fill(td, column, value, id) {
      const focused = td.contains(document.activeElement) ? document.activeElement.dataset.action : null;
      if (column.kind === "progress" && value && td.querySelector(".bar") && value.bar !== false) {
        // The bar stays, so that it moves instead of jumping.
        const fresh = cell(column, value, id).filter(Boolean);
        const bar = td.querySelector(".bar");
        const percent = Math.round(100 * value.fraction);
        bar.setAttribute("aria-valuenow", percent);
        bar.firstChild.style.width = `${percent}%`;
        td.replaceChildren(bar, ...fresh.slice(1));
      } else td.replaceChildren(...cell(column, value, id).filter(Boolean));
      if (focused) td.querySelector(`[data-action="${focused}"]`)?.focus();
    }

    function renew() {
      const columns = model.get("columns"), rows = model.get("rows"), selected = model.get("selected");
      const next = new Map();
      let before = null;
      for (const row of rows) {
        let held = shown.get(row.id);
        if (!held) {
          const tr = make("tr", { "data-id": row.id }, ...columns.map((column, k) => make(column.head ? "th" : "td", { scope: column.head ? "row" : undefined,
            class: [column.align, column.narrow === "hide" ? "spineq-narrow-hide" : ""].join(" ").trim() || undefined, "data-key": column.key })));
          held = { tr, texts: columns.map(() => "\u0000") };
        }
        columns.forEach((column, k) => {
          const text = JSON.stringify(row[column.key] ?? null);
          if (held.texts[k] === text) return;
          held.texts[k] = text;
          fill(held.tr.children[k], column, row[column.key], row.id);
        });
        held.tr.classList.toggle("selected", row.id === selected);
        if (row.id === selected) held.tr.setAttribute("aria-current", "true");
        else held.tr.removeAttribute("aria-current");
        const place = before ? before.nextSibling : body.firstChild;
        if (place !== held.tr) body.insertBefore(held.tr, place);
        before = held.tr;
        next.set(row.id, held);
      }
      for (const [id, held] of shown) if (!next.has(id)) held.tr.remove();
      shown = next;
      empty.textContent = rows.length ? "" : model.get("empty");
      table.style.display = rows.length ? "" : "none";
      renewPager();
    }

    let pagerText = "";
    function renewPager() {
      const page = model.get("page"), pages = model.get("pages"), total = model.get("total");
      const text = JSON.stringify([page, pages, total]);
      if (text === pagerText) return;
      pagerText = text;
      const go = (label, to, off) => make("button", { type: "button", text: label, disabled: off, "data-page": label, onclick: () => model.send({ page: to }) });
      pager.replaceChildren(
        ...(pages > 1 ? [go("Newer", page - 1, page <= 0), make("span", { text: `Page ${page + 1} of ${pages.toLocaleString("en")}` }), go("Older", page + 1, page >= pages - 1)] : []),
        make("span", { class: "help", text: total, "aria-live": "polite" }),
      );
      if (pages > 1 && model.get("page_words").length === 2) {
        const [back, on] = pager.querySelectorAll("button");
        [back.textContent, on.textContent] = model.get("page_words");
      }
    }

    const listen = [["change:columns", renewHead], ["change:sort", renewHead], ["change:caption", renewHead],
      ...["rows", "selected", "page", "pages", "total", "empty"].map((name) => [`change:${name}`, renew])];
    for (const [event, handler] of listen) model.on(event, handler);
    renewHead();
    return () => {
      fit.disconnect();
      for (const [event, handler] of listen) model.off(event, handler);
    };
  },
};
