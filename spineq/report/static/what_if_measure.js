"use strict";
// Coverage as spineq.measure computes it: float64, from places or travel costs, no cut-offs.

const KINDS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f8: Float64Array };

const DECAYS = {
  exponential: (d, theta) => Math.exp(d / -theta),
  step: (d, theta) => (d <= theta ? 1 : 0),
  linear: (d, theta) => Math.max(d / -theta + 1, 0),
  gaussian: (d, theta) => Math.exp((d / theta) * (d / theta) * -0.5),
};

const NEAR = 500;

// Numbers that `packed` wrote, in float64.
function unpacked({ kind, scale, data }) {
  const text = atob(data), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  const whole = new KINDS[kind](bytes.buffer), made = new Float64Array(whole.length);
  for (let k = 0; k < whole.length; k++) made[k] = whole[k] / scale;
  return made;
}

class Measure {
  constructor(given) {
    const { points } = given;
    this.given = given;
    this.decay = DECAYS[given.decay];
    this.x = unpacked(points.x);
    this.y = unpacked(points.y);
    this.share = unpacked(points.share);
    this.area = Uint32Array.from(unpacked(points.area));
    this.areas = given.areas.length;
    this.travel = given.travel && {
      byArea: given.travel.by === "area",
      start: unpacked(given.travel.start),
      target: given.travel.target && unpacked(given.travel.target),
      cost: unpacked(given.travel.cost),
    };
    this.siteX = unpacked(given.sites.x);
    this.siteY = unpacked(given.sites.y);
    this.people = this.rowsOfPeople(unpacked(given.people));
    // A group that stands at points of its own weighs there, any other by its people.
    this.rows = this.people.map((people, g) => {
      const { weights } = given.groups[g];
      return weights ? unpacked(weights) : this.spread(people);
    });
    this.mix = this.mixed();
  }

  // People of each group by area.
  rowsOfPeople(all) {
    return this.given.groups.map((_, g) => all.subarray(g * this.areas, (g + 1) * this.areas));
  }

  // A group's weights over the demand points, which sum to 1.
  spread(people) {
    let total = 0;
    for (const each of people) total += each;
    return this.share.map((share, p) => (people[this.area[p]] / total) * share);
  }

  // Weights of the objective over the demand points.
  mixed() {
    const { weights } = this.given.objective, mix = new Float64Array(this.x.length);
    this.given.groups.forEach(({ name }, g) => {
      const weight = Object.hasOwn(weights, name) ? weights[name] : 0;
      if (weight > 0) this.rows[g].forEach((each, p) => { mix[p] += weight * each; });
    });
    return mix;
  }

  // Metres from every demand point to the nearest of the sensors; infinite without any.
  straight(sensors) {
    const { x, y } = this, n = x.length, nearest = new Float64Array(n).fill(Infinity);
    for (const sensor of sensors) {
      const sx = sensor.x, sy = sensor.y;
      for (let p = 0; p < n; p++) {
        const dx = sx - x[p], dy = sy - y[p], d = dx * dx + dy * dy;
        if (d < nearest[p]) nearest[p] = d;
      }
    }
    for (let p = 0; p < n; p++) nearest[p] = Math.sqrt(nearest[p]);
    return nearest;
  }

  // The least travel cost to every demand point; infinite where none of the sensors gets.
  byCost(sensors) {
    const { byArea, start, target, cost } = this.travel;
    const least = new Float64Array(byArea ? this.areas : this.x.length).fill(Infinity);
    for (const { site } of sensors) {
      const low = start[site], high = start[site + 1];
      for (let k = low; k < high; k++) {
        const at = target ? target[k] : k - low;
        if (cost[k] < least[at]) least[at] = cost[k];
      }
    }
    return byArea ? Float64Array.from(this.area, (area) => least[area]) : least;
  }

  // What the sensors cover: {coverage, near, objective, areas, metres}, shares of 0 to 1.
  of(sensors) {
    const { theta, unit } = this.given, n = this.x.length;
    const nearest = this.travel ? this.byCost(sensors) : this.straight(sensors);
    const metres = this.travel && unit !== "m" ? this.straight(sensors) : nearest;
    const covered = new Float64Array(n), areas = new Float64Array(this.areas);
    for (let p = 0; p < n; p++) {
      covered[p] = this.decay(nearest[p], theta);
      areas[this.area[p]] += this.share[p] * covered[p];
    }
    const coverage = [], near = [];
    for (const row of this.rows) {
      let all = 0, within = 0;
      for (let p = 0; p < n; p++) {
        all += row[p] * covered[p];
        if (metres[p] <= NEAR) within += row[p];
      }
      coverage.push(all);
      near.push(within);
    }
    return { coverage, near, objective: this.objective(coverage, covered), areas };
  }

  // What was maximised, in units of coverage.
  objective(coverage, covered) {
    const { kind, weights, own_best } = this.given.objective;
    if (kind === "equivalent") return this.equivalent(covered);
    if (kind === "mean") {
      let all = 0;
      for (let p = 0; p < covered.length; p++) all += this.mix[p] * covered[p];
      return all;
    }
    const best = (name) => (kind === "worst_share" && Object.hasOwn(own_best, name) ? own_best[name] : 1);
    const judged = this.given.groups.map(({ name }, g) =>
      Object.hasOwn(weights, name) && weights[name] > 0 ? coverage[g] / best(name) : Infinity);
    return Math.min(...judged);
  }

  // Equally-distributed equivalent coverage, as in spineq.solvers.welfare.
  equivalent(covered) {
    const { aversion, form } = this.given.objective, { mix } = this;
    let total = 0, mean = 0, least = Infinity;
    for (let p = 0; p < mix.length; p++) {
      if (!(mix[p] > 0)) continue;
      total += mix[p];
      mean += mix[p] * covered[p];
      least = Math.min(least, covered[p]);
    }
    mean /= total;
    let sum = 0, made;
    if (form === "kolm_pollak") {
      for (let p = 0; p < mix.length; p++) if (mix[p] > 0) sum += mix[p] * Math.expm1(-aversion * (covered[p] - least));
      made = least - Math.log1p(sum / total) / aversion;
    } else {
      for (let p = 0; p < mix.length; p++) if (mix[p] > 0) sum += mix[p] * covered[p] ** (1 - aversion);
      made = Math.min(sum / total, 1) ** (1 / (1 - aversion));
    }
    return Math.max(Math.min(made, mean), Math.min(least, mean));
  }
}
