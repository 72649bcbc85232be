// The map's other half: areas, sensors, legend and controls on the Leaflet map of ipyleaflet.
// Polygons come once; colours come as one byte an area, or as a picture.

const NOTHING = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const TILES = "https://tile.openstreetmap.org/{z}/{x}/{y}.png";
const HINTS = {
  look: "",
  move: "Drag a sensor, or focus it and use the arrow keys (with Shift further); Delete takes it away.",
  add: "Click where a sensor shall go; or move the map with the arrow keys and press Enter to put one at its middle.",
  delete: "Click on a sensor, or focus it and press Delete, to take it away.",
  ask: "Click on a sensor, or focus it and press Enter, to ask why it stands there; click elsewhere to ask why none does.",
};

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const painted = (then) => requestAnimationFrame(() => requestAnimationFrame(then));

function bytes(view) {
  if (!view) return new Uint8Array(0);
  return new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
}

// Calls at most ten times a second, and always with the last value.
function calm(call) {
  let timer = null, last = 0, value;
  const go = () => { timer = null; last = performance.now(); call(...value); };
  return (...given) => { value = given; timer ??= setTimeout(go, Math.max(0, 100 - (performance.now() - last))); };
}

// Of the map's views the one beside this element: a widget may be shown twice.
async function mapBeside(model, el, stop) {
  const widget = await model.widget_manager.get_model(model.get("map_id"));
  while (!stop.aborted) {
    const home = el.closest(".spineq-map");
    for (const view of await Promise.all(Object.values(widget.views ?? {})))
      if (home && view.obj && home.contains(view.obj.getContainer())) return view.obj;
    await pause(30);
  }
  return null;
}

class Shapes {
  constructor(map) {
    map.getPane("spineq-areas") ?? (map.createPane("spineq-areas").style.zIndex = 390);
    this.renderer = window.L.canvas({ pane: "spineq-areas", padding: 0.2 });
  }
  async load(map, model, hover) {
    const stream = new Blob([bytes(model.get("shapes"))]).stream().pipeThrough(new DecompressionStream("gzip"));
    const geometries = JSON.parse(await new Response(stream).text());
    this.layers = [];
    const few = geometries.length <= 2000;
    // Lines between very many areas would be all that one sees; theirs have the colour of the area and close the seams.
    this.edges = !few;
    const base = { renderer: this.renderer, pane: "spineq-areas", weight: 0.5, color: few ? "#ffffff" : model.get("unknown"), opacity: few ? 0.7 : 1,
      // Leaflet leaves out corners of each area by itself, and gaps open between neighbours: lines hide them, where there are any.
      smoothFactor: few ? 1 : 0, fillOpacity: 1, fillColor: model.get("unknown"), radius: Math.max(2, Math.min(8, 240 / Math.sqrt(geometries.length))) };
    this.group = window.L.geoJSON(geometries.map((geometry, id) => ({ type: "Feature", id, geometry, properties: {} })), {
      style: base, renderer: this.renderer, pane: "spineq-areas",
      pointToLayer: (_, place) => window.L.circleMarker(place, base),
      onEachFeature: (feature, layer) => { this.layers[feature.id] = layer; } });
    this.group.on("mouseover", (event) => hover({ area: event.layer.feature.id }));
    this.group.on("mouseout", () => hover({ area: null }));
    this.group.addTo(map);
    this.old = new Uint8Array(geometries.length);
    this.colours = [];
  }
  paint(model) {
    const classes = bytes(model.get("paint")), colours = model.get("palette"), unknown = model.get("unknown");
    const all = String(colours) !== String(this.colours);
    // A scale of an odd number of colours has white in its middle.
    const line = colours.length % 2 ? "#8c8c8c" : "#ffffff";
    this.layers.forEach((layer, k) => {
      if (!all && classes[k] === this.old[k]) return;
      const colour = colours[classes[k]] ?? unknown;
      layer.setStyle({ fillColor: colour, color: this.edges ? colour : line });
    });
    [this.old, this.colours] = [classes.slice(), colours];
  }
  remove() { this.group?.remove(); this.renderer.remove(); }
}

class Picture {
  constructor(map) {
    map.getPane("spineq-areas") ?? (map.createPane("spineq-areas").style.zIndex = 390);
    this.map = map;
  }
  async load(map, model, hover) {
    const [south, west, north, east] = model.get("bounds");
    this.layer = window.L.imageOverlay(NOTHING, [[south, west], [north, east]], { pane: "spineq-areas" }).addTo(map);
    this.move = (event) => hover({ lat: event.latlng.lat, lng: event.latlng.lng });
    this.out = () => hover({ area: null });
    map.on({ mousemove: this.move, mouseout: this.out });
  }
  async paint(model) {
    const url = URL.createObjectURL(new Blob([bytes(model.get("paint"))], { type: "image/png" }));
    const image = new Image();
    image.src = url;
    try { await image.decode(); } catch { return; }
    this.layer.setUrl(url);
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url;
  }
  remove() {
    this.map.off({ mousemove: this.move, mouseout: this.out });
    this.layer?.remove();
    if (this.url) URL.revokeObjectURL(this.url);
  }
}

// Sensors as markers of their own, which the keyboard reaches; those that did not change stay.
class Sensors {
  constructor(map, model, send) {
    Object.assign(this, { map, model, send, held: [] });
  }
  update() {
    const wanted = this.model.get("markers"), known = (...kinds) => wanted.filter(([, , , kind]) => kinds.includes(kind)).length;
    // Beside very many that stay, those that were placed still have their numbers.
    const crowds = { placed: known("placed") > 60, kept: known("placed", "kept") > 60 };
    const free = new Set(this.held), at = new Map(this.held.map((each) => [each.place, each]));
    const next = wanted.map(([lat, lng, label, kind, title]) => {
      const place = `${kind} ${lat} ${lng}`, same = at.get(place);
      if (same) { free.delete(same); at.delete(place); }
      return { wish: { lat, lng, label, kind, title, place, many: Boolean(crowds[kind]) }, held: same };
    });
    // Who was moved keeps its marker, and with it the focus.
    for (const each of next) {
      each.held ??= [...free].find((one) => one.kind === each.wish.kind);
      free.delete(each.held);
    }
    for (const gone of free) gone.marker.remove();
    this.held = next.map(({ wish, held }, k) => this.put(wish, held ?? this.make(wish), k));
    this.mode();
  }
  make(wish) {
    const face = make("span", { class: "face" });
    const marker = window.L.marker([wish.lat, wish.lng], { keyboard: false, bubblingMouseEvents: wish.kind === "existing",
      zIndexOffset: { existing: -2000, gone: -2000, ghost: -1000, stands_in: -1000, comes: -1000, placed: 1000, asked: 2000 }[wish.kind] ?? 0, autoPan: true, autoPanSpeed: 4, autoPanPadding: [40, 40],
      icon: window.L.divIcon({ className: `spineq-sensor ${wish.kind}`, html: face, iconSize: null }) });
    const held = { marker, face, kind: wish.kind };
    marker.addTo(this.map);
    if (wish.kind === "placed" || wish.kind === "kept") this.listen(held);
    return held;
  }
  put(wish, held, sensor) {
    if (held.place !== wish.place && !held.dragging) held.marker.setLatLng([wish.lat, wish.lng]);
    Object.assign(held, { place: wish.place, title: wish.title, sensor });
    if (held.face.textContent !== wish.label) held.face.textContent = wish.label;
    const element = held.marker.getElement();
    element.classList.toggle("many", wish.many);
    element.title = wish.title;
    element.setAttribute("aria-label", wish.title);
    return held;
  }
  listen(held) {
    const { marker } = held, element = marker.getElement();
    const tell = (kind) => { const { lat, lng } = marker.getLatLng(); this.send({ kind, sensor: held.sensor, lat, lng }); };
    const away = () => this.send({ kind: "delete", sensor: held.sensor });
    const mine = () => held.kind === "placed" && !["look", "ask"].includes(this.model.get("mode"));
    const hover = (on) => this.send({ kind: "hover", area: null, ...(on ? { sensor: held.sensor } : {}) });
    let timer = null;
    marker.on("dragstart", () => { held.dragging = true; });
    // The map follows a sensor to the city's edge, not beyond: nothing is there. Without an end of the room, no place is near it.
    marker.on("drag", () => {
      const [south, west, north, east] = this.model.get("bounds");
      const here = window.L.latLngBounds([south, west], [north, east]).pad(0.1).contains(marker.getLatLng());
      marker.options.autoPanPadding = here ? [40, 40] : [-1e6, -1e6];
    });
    marker.on("dragend", () => { held.dragging = false; tell("move"); });
    marker.on("click", () => {
      const mode = this.model.get("mode");
      if (mode === "ask") tell("ask");
      else if (mine() && mode === "delete") away();
    });
    marker.on("mouseover", () => hover(true));
    marker.on("mouseout", () => hover(false));
    element.addEventListener("focus", () => { if (element.matches(":focus-visible")) hover(true); });
    element.addEventListener("blur", () => hover(false));
    element.addEventListener("keydown", (event) => {
      if (this.model.get("mode") === "ask" && event.key === "Enter") {
        tell("ask");
        event.preventDefault();
        event.stopPropagation();
      }
      if (!mine()) return;
      const mode = this.model.get("mode"), step = event.shiftKey ? 50 : 10;
      const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (event.key === "Delete" || event.key === "Backspace" || (event.key === "Enter" && mode === "delete")) away();
      else if (by && mode === "move") {
        const at = this.map.latLngToContainerPoint(marker.getLatLng()).add(by);
        marker.setLatLng(this.map.containerPointToLatLng(at));
        clearTimeout(timer);
        timer = setTimeout(() => tell("move"), 300);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  mode() {
    const mode = this.model.get("mode");
    for (const { marker, kind } of this.held) {
      const element = marker.getElement(), mine = kind === "placed" || kind === "kept";
      const acts = mode === "ask" ? mine : kind === "placed" && mode !== "look";
      element.setAttribute("role", acts ? "button" : "img");
      if (mine) element.tabIndex = 0;
      element.classList.toggle("acts", acts);
      if (kind === "placed" && mode === "move") marker.dragging.enable();
      else marker.dragging?.disable();
    }
  }
  // A drag that came to nothing: everything goes back to where Python has it.
  restore() {
    for (const { marker, place } of this.held) marker.setLatLng(place.split(" ").slice(1).map(Number));
  }
  remove() { for (const { marker } of this.held) marker.remove(); }
}

// A corner of the map that shows something of ours.
function corner(map, position, element) {
  const control = new window.L.Control({ position });
  control.onAdd = () => element;
  window.L.DomEvent.disableClickPropagation(element).disableScrollPropagation(element);
  return control.addTo(map);
}

function drawLegend(legend) {
  const steps = legend.steps ?? [], n = steps.length;
  const swatch = ([colour, text]) => make("li", {}, swatchOf(colour), make("span", { text }));
  const swatchOf = (colour) => { const box = make("span", { class: "swatch" }); box.style.background = colour; return box; };
  let scale;
  if (n && steps.every(([, text]) => text)) scale = make("ul", { class: "classes" }, ...steps.map(swatch).reverse());
  else if (n) {
    const labels = steps.map(([, text], k) => {
      if (!text) return null;
      const label = make("span", { text, class: k === 0 ? "first" : k === n - 1 ? "last" : undefined });
      if (k > 0 && k < n - 1) label.style.left = `${(100 * (n % 2 ? k + 0.5 : k)) / n}%`;
      return label;
    });
    scale = make("div", { class: "scale" }, make("div", { class: "strip" }, ...steps.map(([colour]) => swatchOf(colour))), make("div", { class: "labels" }, ...labels));
  }
  const symbols = (legend.symbols ?? []).map(([kind, text]) => make("li", {},
    make("span", { class: `spineq-sensor ${kind} many`, "aria-hidden": "true" }, make("span", { class: "face" })), make("span", { text })));
  if (legend.unknown) symbols.push(swatch([legend.unknown, "not known"]));
  const unit = legend.unit ? make("span", { text: legend.unit, class: "unit" }) : null;
  return [make("summary", { text: legend.title || "Legend" }), unit, scale, symbols.length ? make("ul", {}, ...symbols) : null].filter(Boolean);
}

function toolbar(model) {
  const save = (name, value) => { model.set(name, value); model.save_changes(); };
  const id = `spineq-${Math.random().toString(36).slice(2)}`;
  const select = make("select", { id: `${id}-shows`, onchange: () => model.send({ kind: "shading", key: select.value }) });
  const opacity = make("input", { id: `${id}-opacity`, type: "range", min: 0, max: 100, step: 5, oninput: () => save("opacity", opacity.value / 100) });
  const tiles = make("input", { id: `${id}-tiles`, type: "checkbox", onchange: () => { model.send({ kind: "note", text: "" }); save("tiles", tiles.checked); } });
  const field = (input, text) => make("span", { class: "field" }, make("label", { for: input.id, text }), input);
  const root = make("div", { class: "spineq-map-bar" }, field(select, "Map shows"), field(opacity, "Strength of colours"),
    make("span", { class: "field" }, tiles, make("label", { for: tiles.id, text: "Background map (needs internet)" })));
  const words = make("div", { class: "spineq-map-words", "aria-live": "polite" });
  let drawn = "";
  const draw = () => {
    const options = model.get("options"), text = JSON.stringify(options);
    if (text !== drawn) select.replaceChildren(...options.map(([value, label]) => make("option", { value, text: label })));
    drawn = text;
    select.value = model.get("shading");
    select.disabled = options.length === 0;
    opacity.value = Math.round(100 * model.get("opacity"));
    tiles.checked = model.get("tiles");
    words.replaceChildren(...[HINTS[model.get("mode")], model.get("note")].filter(Boolean).map((text) => make("p", { text })));
  };
  draw();
  return { elements: [root, words], draw };
}

// The background map is a guest: where it does not come, the map goes on without it.
function background(map, model) {
  let layer = null, came = false;
  const off = (text) => { layer?.remove(); layer = null; if (text) model.send({ kind: "note", text }); };
  return () => {
    if (!model.get("tiles")) return off("");
    if (layer) return undefined;
    if (!navigator.onLine) return off("There is no internet connection, so there is no background map.");
    came = false;
    layer = window.L.tileLayer(TILES, { maxZoom: 18, errorTileUrl: NOTHING, attribution: "Background © OpenStreetMap contributors" });
    layer.on("tileload", () => { came = true; });
    layer.on("tileerror", () => { if (!came) setTimeout(() => { if (!came) off("The background map cannot be reached; the map goes on without it."); }, 0); });
    return layer.addTo(map);
  };
}

// Maps with the same link go to the same place together.
function linked(map, link) {
  if (!link) return () => {};
  const all = (globalThis.spineqLinkedMaps ??= new Map());
  const mates = all.get(link) ?? new Set();
  all.set(link, mates.add(map));
  const follow = () => {
    if (map.spineqLed || !map.getSize().x) return;
    for (const mate of mates) if (mate !== map && mate.getSize().x) {
      mate.spineqLed = true;
      mate.setView(map.getCenter(), map.getZoom(), { animate: false });
      mate.spineqLed = false;
    }
  };
  map.on("move", follow);
  return () => { map.off("move", follow); mates.delete(map); };
}

async function draw(model, el, bar, stop) {
  const map = await mapBeside(model, el, stop);
  if (!map || stop.aborted) return [];
  const { L } = window, container = map.getContainer(), send = (message) => model.send(message);
  // ipyleaflet tells the kernel of each move of the mouse; nobody listens, and it is a flood.
  map.off("mousemove mouseover mouseout");
  container.setAttribute("role", "region");
  const hover = calm((what) => send({ kind: "hover", ...what }));
  const sensors = new Sensors(map, model, send), tiles = background(map, model);
  const attribution = L.control.attribution({ prefix: false }).addTo(map);
  const legend = make("details", { class: "spineq-legend", open: true }), box = make("div", { class: "spineq-hover" });
  const whole = "Show the whole city", button = make("button", { type: "button", title: whole, "aria-label": whole, onclick: () => { touched = false; zooming ? map.once("zoomend", fit) : fit(); } });
  const home = make("div", { class: "leaflet-bar spineq-home" }, button);
  const corners = [attribution, corner(map, "bottomright", legend), corner(map, "topright", box), corner(map, "topleft", home)];
  const legendWidth = 250;
  let areas = null, token = 0, fitted = false, fitting = false, touched = false, zooming = false, roomy = true, credit = "";

  const fit = () => {
    const [south, west, north, east] = model.get("bounds");
    if (south === undefined || !map.getSize().x || !map.getSize().y) return;
    const place = L.latLngBounds([south, west], [north, east]);
    // Beside the legend, unless the city would become much smaller there; then the legend folds up.
    const zoom = (right) => map.getBoundsZoom(place, false, L.point(12 + right, 40));
    const beside = zoom(0) - zoom(legendWidth) <= 0.5;
    if (!beside && roomy) legend.open = false;
    roomy = beside;
    fitting = true;
    map.fitBounds(place, { paddingTopLeft: [6, 6], paddingBottomRight: [beside ? 6 + legendWidth : 6, 34], animate: false, maxZoom: 17 });
    fitting = false;
    fitted = true;
  };
  const paint = async () => {
    const serial = model.get("serial");
    if (!areas?.ready || !bytes(model.get("paint")).length) return;
    await areas.paint(model);
    painted(() => send({ kind: "painted", serial }));
  };
  const load = async () => {
    const mine = ++token;
    areas?.remove();
    areas = null;
    fitted = touched = false;
    roomy = true;
    fit();
    const kind = model.get("kind");
    if (!kind) return;
    const made = kind === "image" ? new Picture(map) : new Shapes(map);
    areas = made;
    await made.load(map, model, hover);
    if (mine !== token || stop.aborted) return made.remove();
    made.ready = true;
    await paint();
    painted(() => send({ kind: "shown" }));
  };
  const dress = () => {
    container.setAttribute("aria-label", model.get("label"));
    attribution.removeAttribution(credit);
    const text = make("span", { text: model.get("attribution") });
    attribution.addAttribution((credit = text.innerHTML));
    legend.replaceChildren(...drawLegend(model.get("legend")));
    legend.hidden = !legend.children.length || !model.get("kind");
    home.hidden = !model.get("kind");
  };
  const tell = () => {
    const [head, ...lines] = model.get("hover_lines");
    box.replaceChildren(...(head ? [make("strong", { text: head })] : []), ...lines.map(([name, value]) => make("div", {}, make("span", { text: name }), make("span", { text: value }))));
    box.hidden = !head;
  };
  const fade = () => { const pane = map.getPane("spineq-areas"); if (pane) pane.style.opacity = model.get("opacity"); };
  const mode = () => {
    const now = model.get("mode");
    container.dataset.mode = now;
    // Two clicks are two sensors.
    map.doubleClickZoom[["add", "delete", "ask"].includes(now) ? "disable" : "enable"]();
    sensors.mode();
  };
  const key = (event) => {
    const mode = model.get("mode");
    if (event.key !== "Enter" || event.target !== container || (mode !== "add" && mode !== "ask")) return;
    const { lat, lng } = map.getCenter();
    send({ kind: mode, lat, lng });
    event.preventDefault();
  };
  container.addEventListener("keydown", key);
  const click = ({ latlng: { lat, lng } }) => { const mode = model.get("mode"); if (mode === "add" || mode === "ask") send({ kind: mode, lat, lng }); };
  // The wheel scrolls the page until somebody turns to the map.
  // While a zoom is on its way, Leaflet takes no other.
  const wheel = { zoomstart: () => { zooming = true; }, zoomend: () => { zooming = false; }, movestart: () => { touched ||= !fitting && !map.spineqLed; }, focus: () => map.scrollWheelZoom.enable(), blur: () => map.scrollWheelZoom.disable(), click };
  map.on(wheel);
  const size = new ResizeObserver(() => { map.invalidateSize({ animate: false }); if (!fitted || !touched) fit(); });
  size.observe(container);
  const listen = { "change:areas_serial": load, "change:serial": paint, "change:markers": () => sensors.update(), "change:restored": () => sensors.restore(), "change:legend": dress, "change:label": dress, "change:kind": dress,
    "change:attribution": dress, "change:hover_lines": tell, "change:opacity": fade, "change:mode": mode, "change:tiles": tiles };
  for (const [event, handler] of Object.entries(listen)) model.on(event, handler);
  const unlink = linked(map, model.get("link"));
  dress();
  tell();
  sensors.update();
  mode();
  tiles();
  await load();
  fade();
  return [() => {
    for (const [event, handler] of Object.entries(listen)) model.off(event, handler);
    size.disconnect();
    map.off(wheel);
    container.removeEventListener("keydown", key);
    unlink();
    // The map may be gone before us.
    if (map._container && map._panes && container.isConnected) { areas?.remove(); sensors.remove(); corners.forEach((each) => each.remove()); }
  }];
}

export default {
  render({ model, el }) {
    const stop = new AbortController(), bar = toolbar(model), ends = [];
    el.append(...bar.elements);
    // JupyterLab's own keys stay away: arrows and Delete are for the map and its controls.
    const home = setInterval(() => {
      const map = el.closest(".spineq-map");
      if (map) { map.dataset.lmSuppressShortcuts = "true"; clearInterval(home); }
    }, 50);
    const events = "change:options change:shading change:opacity change:tiles change:mode change:note";
    model.on(events, bar.draw);
    const dark = () => model.send({ kind: "dark", dark: document.body.dataset.jpThemeLight === "false" });
    const watch = new MutationObserver(dark);
    watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    dark();
    draw(model, el, bar, stop.signal).then((more) => { if (stop.signal.aborted) more.forEach((end) => end()); else ends.push(...more); });
    return () => {
      stop.abort();
      clearInterval(home);
      watch.disconnect();
      model.off(events, bar.draw);
      ends.forEach((end) => end());
    };
  },
};
