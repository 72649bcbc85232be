// The map: areas on a canvas, sensors as SVG above it. It knows places and colours, no figures.

// Viridis and PuOr, as in the package's other maps.
const SEQUENTIAL = (
  "#46085c #48186a #482576 #46337f #424086 #3e4c8a #38588c #33638d #2e6d8e #2a778e #26828e #228b8d "
  + "#1f958b #1fa088 #23a983 #2eb37c #3fbc73 #52c569 #69cd5b #84d44b #9dd93b #bade28 #d8e219 #f1e51d").split(" ");
const DIVERGING = (
  "#894108 #a04d07 #b65a07 #c96d0d #de8013 #eb9733 #f8ae55 #fdc278 #fed39c #fde3be #faedda #f6f6f7 "
  + "#e9eaf2 #dcddec #cccbe3 #bcb7d8 #a9a1cb #9489bb #7e70ab #6a4c9a #572b8a #451871 #350857").split(" ");

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 20, MOST_ZOOM = 12, NUMBERED = 60;

// Fill each child's attributes, making and taking away elements as needed.
function drawn(parent, kind, list) {
  while (parent.childElementCount > list.length) parent.lastElementChild.remove();
  list.forEach((attributes, k) => {
    const one = parent.children[k] ?? parent.appendChild(document.createElementNS(SVG, kind));
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  });
}

class CityMap {
  constructor(stage, given) {
    this.stage = stage;
    this.canvas = stage.querySelector("canvas");
    this.svg = stage.querySelector("svg");
    this.map = given.map;
    this.few = given.areas.length <= 2000;
    this.n = given.areas.length;
    this.zoom = 1;
    this.middle = null;
    this.shapes();
    for (const name of ["others", "ways", "sensors"])
      this[name] = this.svg.appendChild(document.createElementNS(SVG, "g"));
    this.fit();
  }

  // Paths of the areas on the display's grid, each with the box around it.
  shapes() {
    const x = unpacked(this.map.x), y = unpacked(this.map.y);
    this.x = x;
    this.y = y;
    if (!this.map.rings) return;
    const corners = unpacked(this.map.corners);
    let ring = 0, at = 0;
    this.paths = [];
    this.boxes = [];
    for (const rings of unpacked(this.map.rings)) {
      const path = new Path2D(), box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let r = 0; r < rings; r++, ring++) {
        for (let k = 0; k < corners[ring]; k++, at++) {
          if (k) path.lineTo(x[at], y[at]);
          else path.moveTo(x[at], y[at]);
          box[0] = Math.min(box[0], x[at]);
          box[1] = Math.min(box[1], y[at]);
          box[2] = Math.max(box[2], x[at]);
          box[3] = Math.max(box[3], y[at]);
        }
        path.closePath();
      }
      this.paths.push(path);
      this.boxes.push(box);
    }
  }

  // Give the stage the city's form, and the canvas the screen's pixels.
  fit() {
    const wide = this.map.width / this.map.step, tall = this.map.height / this.map.step;
    this.width = this.stage.clientWidth || 320;
    // The whole map is to be in sight, with a little of what stands around it.
    const most = Math.max(0.56 * window.innerHeight, 320) / this.width;
    const form = Math.min(Math.max((tall + 1) / (wide + 1), 0.55), 1.25, most);
    this.stage.style.aspectRatio = `1 / ${form}`;
    this.height = Math.round(this.width * form);
    this.pixels = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(this.width * this.pixels);
    this.canvas.height = Math.round(this.height * this.pixels);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    const room = [this.width - 2 * MARGIN, this.height - 2 * MARGIN];
    // A city of one place has no width: it is shown as a village.
    this.base = Math.min(room[0] / Math.max(wide, 400), room[1] / Math.max(tall, 400));
    this.middle ??= [wide / 2, tall / 2];
  }

  get scale() { return this.base * this.zoom; }

  // From grid to pixels.
  toScreen(gx, gy) {
    return [(gx - this.middle[0]) * this.scale + this.width / 2,
      (gy - this.middle[1]) * this.scale + this.height / 2];
  }

  // From metres to pixels, and back.
  place(x, y) {
    return this.toScreen((x - this.map.west) / this.map.step, (this.map.north - y) / this.map.step);
  }

  metres(px, py) {
    const [gx, gy] = this.grid(px, py);
    return [this.map.west + gx * this.map.step, this.map.north - gy * this.map.step];
  }

  grid(px, py) {
    return [(px - this.width / 2) / this.scale + this.middle[0],
      (py - this.height / 2) / this.scale + this.middle[1]];
  }

  // Pixels within the stage of an event, also where a printer or zoom has stretched it.
  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left) * this.width / box.width,
      (event.clientY - box.top) * this.height / box.height];
  }

  zoomTo(zoom, gx = this.middle[0], gy = this.middle[1]) {
    this.zoom = Math.min(Math.max(zoom, 1), MOST_ZOOM);
    const wide = this.map.width / this.map.step, tall = this.map.height / this.map.step;
    this.middle = this.zoom === 1 ? [wide / 2, tall / 2]
      : [Math.min(Math.max(gx, 0), wide), Math.min(Math.max(gy, 0), tall)];
  }

  pan(dx, dy) {
    this.zoomTo(this.zoom, this.middle[0] - dx / this.scale, this.middle[1] - dy / this.scale);
  }

  // Move so that a place is in sight.
  show(x, y) {
    const [px, py] = this.place(x, y);
    if (px < 16 || py < 16 || px > this.width - 16 || py > this.height - 16)
      this.zoomTo(this.zoom, (x - this.map.west) / this.map.step, (this.map.north - y) / this.map.step);
  }

  // Colours of the areas, and of the lines between them.
  paint(colours, line) {
    const pen = this.canvas.getContext("2d"), { pixels, scale } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const [ox, oy] = this.toScreen(0, 0);
    if (!this.paths) {
      const radius = Math.max(1.5, Math.min(9, this.width / 2.6 / Math.sqrt(this.n))) * this.zoom ** 0.5;
      pen.setTransform(pixels, 0, 0, pixels, 0, 0);
      for (let a = 0; a < this.n; a++) {
        const [px, py] = this.toScreen(this.x[a], this.y[a]);
        pen.beginPath();
        pen.arc(px, py, radius, 0, 2 * Math.PI);
        pen.fillStyle = colours[a];
        pen.fill();
      }
      return;
    }
    pen.setTransform(pixels * scale, 0, 0, pixels * scale, pixels * ox, pixels * oy);
    // Lines in the area's own colour close the seams between very many areas.
    pen.lineWidth = 0.6 / scale;
    pen.strokeStyle = line;
    this.paths.forEach((path, a) => {
      pen.fillStyle = colours[a];
      pen.fill(path, "evenodd");
      if (!this.few) pen.strokeStyle = colours[a];
      pen.stroke(path);
    });
  }

  // Position of the area at a pixel; -1 where there is none.
  areaAt(px, py) {
    const [gx, gy] = this.grid(px, py);
    if (!this.paths) {
      let found = -1, best = (14 / this.scale) ** 2;
      for (let a = 0; a < this.n; a++) {
        const d = (this.x[a] - gx) ** 2 + (this.y[a] - gy) ** 2;
        if (d < best) [found, best] = [a, d];
      }
      return found;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    return this.boxes.findIndex(([west, north, east, south], a) => gx >= west && gx <= east
      && gy >= north && gy <= south && pen.isPointInPath(this.paths[a], gx, gy, "evenodd"));
  }

  // Draw sensors: {number, x, y, kept, home} each; `others` are places of existing ones.
  draw(sensors, chosen, others) {
    const many = sensors.length > NUMBERED;
    const small = this.width < 480 ? 0.8 : 1;
    const size = small * (many ? 6 : sensors.length > 25 ? 10 : 12) * (this.zoom > 2 && many ? 1.6 : 1);
    const numbered = size >= 8;
    drawn(this.others, "rect", others.map(([x, y]) => {
      const [px, py] = this.place(x, y);
      return { x: px - 3.5, y: py - 3.5, width: 7, height: 7, class: "existing" };
    }));
    drawn(this.ways, "line", sensors.filter(({ home, x, y }) => home.x !== x || home.y !== y).map(({ home, x, y }) => {
      const [x1, y1] = this.place(home.x, home.y), [x2, y2] = this.place(x, y);
      return { x1, y1, x2, y2, class: "way" };
    }));
    // The chosen one last, so that no other lies over it.
    const order = [...sensors].sort((a, b) => (a.number === chosen) - (b.number === chosen));
    drawn(this.sensors, "g", order.map(({ number, kept }) => ({
      "data-number": number, class: `sensor${kept ? " kept" : ""}${number === chosen ? " chosen" : ""}` })));
    order.forEach((sensor, k) => this.marker(this.sensors.children[k], sensor, sensor.number === chosen ? size + 2 : size, numbered));
  }

  marker(group, { x, y, kept, label }, size, numbered) {
    const [px, py] = this.place(x, y);
    group.setAttribute("transform", `translate(${px} ${py})`);
    if (!group.firstChild) {
      for (const kind of ["circle", "rect", "text"]) group.appendChild(document.createElementNS(SVG, kind));
    }
    const [reach, box, text] = group.children;
    // Fingers need more room than eyes.
    reach.setAttribute("r", Math.max(size, 15));
    reach.setAttribute("class", "reach");
    const half = kept ? size * 0.7 : size;
    for (const [name, value] of Object.entries({ x: -half, y: -half, width: 2 * half, height: 2 * half, rx: kept ? 1 : half, class: "body" }))
      box.setAttribute(name, value);
    text.textContent = numbered && !kept ? label : "";
    text.setAttribute("font-size", size * (label.length > 2 ? 0.85 : 1.1));
    text.setAttribute("dy", "0.36em");
  }
}
