// The page itself: what stands where, what was done, and the words about it.
//
// `window.spineqWhatIf` is for tests and the curious. `figures()` gives what the page shows, in
// full precision: {shown, coverage by group's name, within500 by group's name, objective, areas
// (coverage by area), milliseconds (how long the last change took)}; `came()` the same of the
// network as it came; `sensors()` lists {number, site, area, x, y, kept} of those shown;
// `screen(number)` and `screenOfSite(site)` give a place in pixels of the window.
//
// The file is long because all of it acts on one state: which sensors, how many, which is chosen.

(() => {
  const byId = (id) => document.getElementById(id);
  const POINT = "Point at an area or a sensor to read what it is.";

  function start(given) {
    const { words, groups, sites } = given;
    const measure = new Measure(given);
    const nSites = measure.siteX.length;
    const siteId = (site) => (sites.ids ?? given.areas)[site];
    const siteAreas = sites.areas && unpacked(sites.areas);
    const siteArea = (site) => given.areas[siteAreas ? siteAreas[site] : site];
    const closed = new Set(sites.closed), unnamed = new Set(sites.unnamed);
    const nKept = given.sensors.filter(({ kept }) => kept).length;
    const original = given.sensors.map((sensor, k) => ({
      ...sensor, number: k + 1 - nKept, label: sensor.kept ? "" : String(k + 1 - nKept), home: { x: sensor.x, y: sensor.y },
    }));
    const came = measure.of(original);
    const map = new CityMap(byId("stage"), given);

    let sensors = original, shown = original.length - nKept, chosen = null, undone = [];
    let now = came, took = 0, said = "";
    const weighted = groups.findIndex(({ name }) => Object.hasOwn(given.objective.weights, name));
    let who = Math.max(weighted, 0), colour = "coverage";

    const placed = () => sensors.filter(({ kept }) => !kept);
    const visible = () => [...sensors.filter(({ kept }) => kept), ...placed().slice(0, shown)];
    const find = (number) => visible().find((sensor) => !sensor.kept && sensor.number === number) ?? null;
    const name = (sensor) => (sensor.kept ? "A sensor that stays" : `Sensor ${sensor.label}`);
    const where = (sensor) => (sensor.site >= 0 ? siteId(sensor.site) : `a place of its own in ${sensor.area}`);
    const isMoved = ({ x, y, home }) => x !== home.x || y !== home.y;
    const changes = () => [placed().filter(isMoved).length, original.length - sensors.length];

    function remember() { undone.push({ sensors, shown }); }

    function put(number, site) {
      sensors = sensors.map((sensor) => (sensor.number === number && !sensor.kept
        ? { ...sensor, site, named: false, area: siteArea(site), x: measure.siteX[site], y: measure.siteY[site] } : sensor));
    }

    // Sites where a sensor may be put: free ones, and where it stands itself.
    function openTo(number) {
      const taken = new Set(sensors.filter((sensor) => sensor.number !== number).map(({ site }) => site));
      return (site) => !closed.has(site) && !taken.has(site);
    }

    function nearestSite(number, x, y) {
      const open = openTo(number), own = sensors.find((sensor) => sensor.number === number).site;
      let found = -1, best = Infinity;
      for (let site = 0; site < nSites; site++) {
        const d = (measure.siteX[site] - x) ** 2 + (measure.siteY[site] - y) ** 2;
        if (d < best && (site === own || open(site))) [found, best] = [site, d];
      }
      return found;
    }

    // The nearest free site in a quarter of the compass.
    function neighbour(number, [east, north]) {
      const { x, y } = find(number), open = openTo(number);
      let found = -1, best = Infinity;
      for (let site = 0; site < nSites; site++) {
        const dx = measure.siteX[site] - x, dy = measure.siteY[site] - y;
        const ahead = dx * east + dy * north, aside = Math.abs(dx * north) + Math.abs(dy * east);
        const d = dx * dx + dy * dy;
        if (ahead > 0 && aside <= ahead && d < best && open(site)) [found, best] = [site, d];
      }
      return found;
    }

    const COMPASS = { west: [-1, 0], east: [1, 0], north: [0, 1], south: [0, -1] };

    function move(direction) {
      if (chosen === null) return;
      const site = neighbour(chosen, COMPASS[direction]), sensor = find(chosen);
      if (site < 0) {
        said = `${name(sensor)} cannot go further ${direction}: there is no free site.`;
        update();
        return;
      }
      remember();
      put(chosen, site);
      const after = find(chosen);
      map.show(after.x, after.y);
      said = `${name(after)} moved ${direction} to ${where(after)}.`;
      update();
    }

    function remove() {
      if (chosen === null) return;
      remember();
      const list = placed().slice(0, shown), at = list.findIndex(({ number }) => number === chosen);
      said = `${name(list[at])} removed.`;
      sensors = sensors.filter((sensor) => sensor.kept || sensor.number !== chosen);
      shown -= 1;
      const next = list[at + 1] ?? list[at - 1] ?? null;
      chosen = next && next.number;
      update();
    }

    function undo() {
      const before = undone.pop();
      if (!before) return;
      ({ sensors, shown } = before);
      said = "The last change is undone.";
      update();
    }

    function reset() {
      if (sensors !== original) remember();
      sensors = original;
      shown = original.length - nKept;
      said = "This is the network as it came.";
      update();
    }

    function show(k) {
      shown = Math.min(Math.max(k, 0), placed().length);
      said = "";
      update();
    }

    function choose(number) {
      chosen = number;
      const sensor = number === null ? null : find(number);
      if (sensor) map.show(sensor.x, sensor.y);
      paint();
      controls();
    }

    function update(dragging = false) {
      const began = performance.now();
      now = measure.of(visible());
      if (chosen !== null && !find(chosen)) chosen = null;
      took = performance.now() - began;
      paint();
      figures(dragging);
      controls();
    }

    function figures(dragging = false) {
      const { title, inSentence } = groups[who], covered = percent(now.coverage[who]);
      const change = now.coverage[who] - came.coverage[who], how = compared(change);
      byId("big-number").textContent = covered;
      byId("big-words").textContent = `coverage of ${inSentence}: ${how}.`;
      byId("brief").textContent = points(change) === "0.0" ? `${title}: ${covered}` : `${title}: ${covered} (${points(change)} points)`;
      const rows = groups.map((group, g) => ({
        title: group.estimated ? `${group.title} (estimated)` : group.title,
        now: now.coverage[g], came: came.coverage[g], near: now.near[g], nearCame: came.near[g], chosen: g === who,
      }));
      rows.push({ title: given.objective.name, now: now.objective, came: came.objective, near: null });
      byId("rows").replaceChildren(...rows.map(row));
      byId("count-words").textContent = [count(), changeWords(...changes())].join(" ").trim();
      byId("said").textContent = said;
      byId("copied").textContent = "";
      byId("hover").textContent = POINT;
      // Screen readers are told once a move has ended, not at each step of it.
      if (!dragging) tell([said, count(), `${title}: ${covered}, ${how}.`].join(" ").trim());
    }

    function tell(text) { byId("told").textContent = text; }

    function count() { return countWords(shown, placed().length, nKept); }

    function row({ title, now: after, came: before, near, nearCame, chosen: isChosen }) {
      const made = element("tr", "", isChosen ? "chosen-row" : "");
      const head = element("th", title);
      head.scope = "row";
      const cell = (text, small = "") => {
        const one = element("td", text, "number");
        if (small) one.append(element("small", small));
        return one;
      };
      made.append(head, cell(percent(after), `was ${percent(before)}`), cell(points(after - before)),
        near === null ? cell("–") : cell(percent(near), `was ${percent(nearCame)}`));
      return made;
    }

    function controls() {
      const all = placed().length, slider = byId("count"), sensor = chosen === null ? null : find(chosen);
      slider.max = all;
      slider.value = shown;
      slider.disabled = all === 0;
      slider.setAttribute("aria-valuetext", count());
      byId("fewer").disabled = shown === 0;
      byId("more").disabled = shown === all;
      for (const id of [...Object.keys(COMPASS), "remove"]) byId(id).disabled = !sensor;
      byId("undo").disabled = undone.length === 0;
      byId("reset").disabled = sensors === original && shown === original.length - nKept;
      byId("chosen").textContent = sensor ? `${name(sensor)}: ${where(sensor)}` : shown ? "No sensor chosen." : "There is no sensor to choose.";
      byId("further").disabled = byId("whole").disabled = map.zoom <= 1;
      byId("closer").disabled = map.zoom >= MOST_ZOOM;
      [byId("list").value, byId("list-help").textContent] = listed(placed().slice(0, shown), known, nKept);
      byId("copy").disabled = shown === 0;
      const changed = changes().some(Boolean) || shown < original.length - nKept;
      byId("means").replaceChildren(...meaning(given, measure.x.length, changed).map((line) => element("p", line)));
      chips();
    }

    // What `spineq evaluate` knows a sensor's place by; null where it has no such name.
    function known(sensor) {
      if (sensor.site >= 0) return unnamed.has(sensor.site) ? null : siteId(sensor.site);
      return sensor.named ? sensor.area : null;
    }

    function chips() {
      const box = byId("chips"), all = placed().slice(0, shown);
      while (box.childElementCount > all.length) box.lastElementChild.remove();
      all.forEach((sensor, k) => {
        let chip = box.children[k];
        if (!chip) {
          chip = box.appendChild(element("button"));
          chip.type = "button";
        }
        chip.dataset.number = sensor.number;
        chip.textContent = sensor.label;
        chip.setAttribute("aria-label", `${name(sensor)}, ${where(sensor)}${isMoved(sensor) ? ", moved" : ""}`);
        chip.setAttribute("aria-pressed", sensor.number === chosen);
        chip.className = isMoved(sensor) ? "moved" : "";
      });
    }

    let asked = false;
    function paint() {
      // Once a frame: a drag asks more often.
      if (asked) return;
      asked = true;
      requestAnimationFrame(draw);
    }

    function draw() {
      asked = false;
      const scale = shading(colour, now.areas, came.areas, measure.people[who], groups[who].title);
      map.paint(colours(scale), scale.diverging ? "rgba(90, 90, 90, 0.35)" : "rgba(255, 255, 255, 0.55)");
      map.draw(visible(), chosen, given.existing);
      byId("stage").classList.toggle("zoomed", map.zoom > 1);
      showLegend(byId("legend"), scale);
    }

    // Say what is at a pixel: a sensor, else the area.
    function hover([px, py], marker) {
      if (marker) {
        const sensor = visible().find(({ number }) => number === Number(marker.dataset.number));
        byId("hover").textContent = `${name(sensor)}: ${where(sensor)}.`;
        return;
      }
      const area = map.areaAt(px, py);
      if (area < 0) return;
      const { title, estimated } = groups[who], people = measure.people[who][area];
      byId("hover").textContent = `Area ${given.areas[area]}: ${percent(now.areas[area])} covered. `
        + `${title}: ${estimated ? "about " : ""}${Math.round(people).toLocaleString("en-GB")}.`;
    }

    // Drag a sensor, or the map where it is magnified.
    function pointers() {
      const stage = byId("stage");
      let held = null;
      stage.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        const marker = event.target.closest?.(".sensor");
        const number = marker ? Number(marker.dataset.number) : null;
        const sensor = marker ? find(number) : null;
        held = { at: map.at(event), from: map.at(event), number: sensor && number, far: false, before: { sensors, shown } };
        if (sensor) {
          event.preventDefault();
          byId("map").focus({ preventScroll: true });
          choose(number);
        }
        if (sensor || map.zoom > 1) stage.setPointerCapture(event.pointerId);
      });
      stage.addEventListener("pointermove", (event) => {
        const at = map.at(event);
        if (!held) { hover(at, event.target.closest?.(".sensor")); return; }
        held.far ||= Math.hypot(at[0] - held.from[0], at[1] - held.from[1]) > 4;
        if (!held.far) return;
        if (held.number !== null) dragTo(held.number, at);
        else if (map.zoom > 1) {
          map.pan(at[0] - held.at[0], at[1] - held.at[1]);
          paint();
        }
        held.at = at;
      });
      const drop = (event) => {
        if (!held) return;
        const { number, before } = held, cancelled = event.type === "pointercancel";
        if (!held.far && number === null) hover(map.at(event));
        held = null;
        if (number === null || sensors === before.sensors) return;
        const sensor = find(number), home = before.sensors.find((each) => each.number === number);
        if (cancelled || (sensor.x === home.x && sensor.y === home.y)) {
          ({ sensors, shown } = before);
        } else {
          undone.push(before);
          said = `${name(sensor)} moved to ${where(sensor)}.`;
        }
        update();
      };
      // A finger on a sensor drags it; elsewhere it scrolls the page.
      stage.addEventListener("touchstart", (event) => {
        if (event.target.closest?.(".sensor:not(.kept)")) event.preventDefault();
      }, { passive: false });
      stage.addEventListener("pointerup", drop);
      stage.addEventListener("pointercancel", drop);
      stage.addEventListener("wheel", (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        zoom(event.deltaY < 0 ? 1.25 : 0.8);
      }, { passive: false });
    }

    function dragTo(number, [px, py]) {
      const site = nearestSite(number, ...map.metres(px, py));
      if (site < 0 || find(number).site === site) return;
      put(number, site);
      update(true);
    }

    function zoom(factor) {
      const sensor = chosen === null ? null : find(chosen);
      if (factor > 1 && map.zoom === 1 && sensor)
        map.zoomTo(factor, (sensor.x - map.map.west) / map.map.step, (map.map.north - sensor.y) / map.map.step);
      else map.zoomTo(map.zoom * factor);
      paint();
      controls();
    }

    const KEYS = { ArrowLeft: "west", ArrowRight: "east", ArrowUp: "north", ArrowDown: "south" };

    function key(event) {
      if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "z")) return;
      const list = placed().slice(0, shown), at = list.findIndex(({ number }) => number === chosen);
      const chip = event.target.closest("#chips button");
      if (chip && Number(chip.dataset.number) !== chosen && (KEYS[event.key] || event.key === "Delete")) choose(Number(chip.dataset.number));
      if (KEYS[event.key]) {
        if (chosen === null && list.length) choose(list[0].number);
        else move(KEYS[event.key]);
      } else if (event.key === "Delete" || event.key === "Backspace") {
        remove();
        if (chip) (byId("chips").querySelector('[aria-pressed="true"]') ?? byId("map")).focus();
      } else if (event.key === "PageDown" || event.key === "PageUp") {
        if (list.length) choose(list[(at + (event.key === "PageDown" ? 1 : at < 0 ? list.length : list.length - 1)) % list.length].number);
      } else if (event.key === "z" && event.ctrlKey) undo();
      else if (event.key === "+") zoom(1.5);
      else if (event.key === "-") zoom(1 / 1.5);
      else return;
      event.preventDefault();
    }

    async function copy() {
      const box = byId("list");
      let done = false;
      try {
        await navigator.clipboard.writeText(box.value);
        done = true;
      } catch {
        // Where a browser gives a page from a file no clipboard, the older way may be open.
        box.select();
        done = document.execCommand("copy");
      }
      said = done ? `Copied: ${counted(shown, "sensor")}.` : "The browser does not let the page copy: mark the list and copy it.";
      byId("copied").textContent = said;
      tell(said);
    }

    const chief = original.length === 0 ? "This network has no sensors." : "Drag a sensor to see at once whom it covers and whom it leaves behind.";
    byId("lead").textContent = `${words.city}. ${chief} Nothing that you do here is sent anywhere or kept.`;
    byId("who").append(...groups.map(({ title }, g) => new Option(title, g, g === who, g === who)));
    byId("colour").append(new Option("How well each area is covered", "coverage"),
      new Option("What has changed", "change"), new Option("Where people are not covered", "missed"));
    byId("near").textContent = words.near;
    const source = [words.attribution, `Theta: ${words.theta}. Made with spineq ${words.version}.`];
    byId("source").replaceChildren(...source.filter(Boolean).map((line) => element("p", line)));
    byId("maximised").textContent = given.objective.words;
    byId("estimated").textContent = groups.some(({ estimated }) => estimated)
      ? "Estimated groups come from age bands split in proportion to their years." : "";
    if (nSites && original.length) byId("map").setAttribute("aria-label", `Map of ${words.city} with ${counted(original.length, "sensor")}`);
    for (const direction of Object.keys(COMPASS)) byId(direction).addEventListener("click", () => move(direction));
    for (const [id, act] of Object.entries({
      remove, undo, reset, copy, fewer: () => show(shown - 1), more: () => show(shown + 1),
      closer: () => zoom(1.5), further: () => zoom(1 / 1.5), whole: () => zoom(0),
    })) byId(id).addEventListener("click", act);
    byId("count").addEventListener("input", (event) => show(Number(event.target.value)));
    byId("who").addEventListener("change", (event) => { who = Number(event.target.value); said = ""; paint(); figures(); });
    byId("colour").addEventListener("change", (event) => { colour = event.target.value; paint(); });
    byId("map").addEventListener("keydown", key);
    byId("chips").addEventListener("keydown", key);
    byId("chips").addEventListener("click", (event) => {
      const chip = event.target.closest("button");
      if (chip) choose(Number(chip.dataset.number));
    });
    byId("hover").textContent = POINT;
    pointers();
    byId("main").hidden = false;
    showSymbols(byId("symbols"), given, original.length - nKept, nKept);
    new ResizeObserver(() => { map.fit(); paint(); }).observe(byId("stage"));
    map.fit();
    update();
    draw();

    const byGroup = (values) => Object.fromEntries(groups.map((group, g) => [group.name, values[g]]));
    const told = (found) => ({ coverage: byGroup(found.coverage), within500: byGroup(found.near),
      objective: found.objective, areas: Array.from(found.areas) });
    const onScreen = (x, y) => {
      const box = byId("stage").getBoundingClientRect(), [px, py] = map.place(x, y);
      return [box.left + px, box.top + py];
    };
    window.spineqWhatIf = Object.freeze({
      figures: () => ({ shown, ...told(now), milliseconds: took }),
      came: () => told(came),
      sensors: () => visible().map(({ number, site, area, x, y, kept }) => ({ number, site: site < 0 ? "" : siteId(site), area, x, y, kept })),
      screen: (number) => onScreen(find(number).x, find(number).y),
      screenOfSite: (site) => onScreen(measure.siteX[site], measure.siteY[site]),
    });
  }

  try {
    start(JSON.parse(byId("given").textContent));
  } catch (error) {
    byId("broken").textContent = "This page cannot be shown: the file may be damaged. Ask for it again.";
    byId("broken").hidden = false;
    throw error;
  }
})();
