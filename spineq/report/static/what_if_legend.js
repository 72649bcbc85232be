// What the colours and signs of the map mean.

// Values of the areas as shares of the scale (of -1 to 1 where it diverges), and the legend's words.
function shading(colour, now, came, people, title) {
  if (colour === "change") {
    const values = now.map((value, a) => value - came[a]);
    const most = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const top = [0.02, 0.05, 0.1, 0.2, 0.5, 1].find((step) => most <= step) ?? 1;
    return { values: values.map((value) => value / top), diverging: true,
      label: "Change of coverage, points", ends: [`−${100 * top}`, "0", `+${100 * top}`] };
  }
  if (colour === "missed") {
    const missed = (areas) => areas.map((value, a) => people[a] * (1 - value));
    const top = roundUp(missed(came).reduce((most, value) => Math.max(most, value), 0) || 1);
    const text = (value) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
    return { values: missed(now).map((value) => value / top), diverging: false,
      label: `Not covered: ${title}`, ends: ["0", text(top / 2), text(top)] };
  }
  return { values: now, diverging: false, label: "Coverage of the area", ends: ["0 %", "50 %", "100 %"] };
}

// The next number of one figure: 1,234 becomes 2,000.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / power - 1e-9) * power;
}

function colours({ values, diverging }) {
  const palette = diverging ? DIVERGING : SEQUENTIAL, n = palette.length;
  return Array.from(values, (value) =>
    palette[Math.min(Math.max(Math.floor((diverging ? (value + 1) / 2 : value) * n), 0), n - 1)]);
}

function showLegend(box, { diverging, label, ends }) {
  const key = [label, ...ends].join("|");
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const bar = element("div", "", "bar"), below = element("div", "", "ends");
  bar.setAttribute("aria-hidden", "true");
  for (const shade of diverging ? DIVERGING : SEQUENTIAL) bar.appendChild(element("span")).style.backgroundColor = shade;
  for (const end of ends) below.append(element("span", end));
  box.replaceChildren(element("div", label, "strong"), bar, below);
}

// Signs on the map: those of sensors as given or placed, of those that stay, of existing ones.
function showSymbols(box, given, placed, stay) {
  const kinds = [];
  const numbered = placed <= NUMBERED ? `, numbered ${given.words.given ? "as given" : "in the order of placement"}` : "";
  if (placed) kinds.push(["sensor", 14, 7, `sensor${numbered}`]);
  if (stay) kinds.push(["kept", 12, 1, "sensor that stays"]);
  if (given.existing.length) kinds.push(["existing", 7, 0, "existing sensor, not counted"]);
  box.replaceChildren(...kinds.map(([kind, size, rx, text]) => {
    const item = element("li"), picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", "0 0 20 20");
    picture.setAttribute("aria-hidden", "true");
    const group = picture.appendChild(document.createElementNS(SVG, "g"));
    group.setAttribute("class", kind);
    drawn(group, "rect", [{ x: 10 - size / 2, y: 10 - size / 2, width: size, height: size, rx, class: kind === "existing" ? kind : "body" }]);
    item.append(picture, text);
    return item;
  }));
}
