// Numbers and sentences: no state, no map.

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const grouped = (n) => n.toLocaleString("en-GB");
const counted = (n, what) => `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;

// A change of a share in percentage points: +1.2, 0.0, −0.3.
function points(change) {
  const text = Math.abs(100 * change).toFixed(1);
  return text === "0.0" ? text : `${change > 0 ? "+" : "−"}${text}`;
}

// The same as words.
function compared(change) {
  const text = Math.abs(100 * change).toFixed(1);
  if (text === "0.0") return "as much as with the network as it came";
  return `${text} points ${change > 0 ? "more" : "less"} than with the network as it came`;
}

function element(kind, text = "", kindOf = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  if (kindOf) made.className = kindOf;
  return made;
}

// How many of all placed sensors are shown, beside those that stay.
function countWords(shown, all, stay) {
  const beside = stay ? `, and ${stay === 1 ? "the one that stays" : `the ${grouped(stay)} that stay`}` : "";
  if (all === 0) return stay ? `No sensors${beside}.` : "There are no sensors.";
  if (shown === 0) return `None of ${counted(all, "sensor")}${beside}.`;
  if (all === 1) return `One sensor${beside}.`;
  if (shown === all) return `All ${counted(all, "sensor")}${beside}.`;
  return `The first ${shown === 1 ? "" : `${grouped(shown)} `}of ${counted(all, "sensor")}${beside}.`;
}

function changeWords(moved, removed) {
  const told = [moved && `${grouped(moved)} moved`, removed && `${grouped(removed)} removed`].filter(Boolean);
  return told.length ? `${told.join(", ")}.` : "";
}

// What the figures mean, a sentence or more a line.
function meaning({ words, areas }, nPoints, changed) {
  const many = nPoints > areas.length;
  const at = many ? `${counted(nPoints, "point")} in the ${counted(areas.length, "area")}`
    : areas.length === 1 ? "that of the one area" : `one for each of the ${counted(areas.length, "area")}`;
  return [
    `Coverage is about being near a sensor, not about a sensor's range. ${words.decay}`,
    `A group's coverage is the mean over its people. People are taken to be at points: ${at}. `
      + `Theta, here ${words.theta}, is a choice: another one gives other figures.`,
    `The network as it came: ${words.certificate}${words.stopped ? " The search was stopped early." : ""}`
      + (changed ? " This says nothing about what you see now, which is not that network." : ""),
    words.explained,
    words.rules ? "The rules that the network was made by (spacing, districts, money, what groups are owed) are not checked here." : "",
    words.note,
  ].filter(Boolean);
}

// The list to copy and what it is for; `name` gives a sensor's name or null.
function listed(sensors, name, stay) {
  const names = sensors.map(name), beside = stay ? " The sensors that stay are not in it." : "";
  if (!names.includes(null)) return [names.join(","), `Names of the places, for “spineq evaluate CITY --sensors …”.${beside}`];
  return [["x,y", ...sensors.map(({ x, y }) => `${x},${y}`)].join("\n"),
    `Some sensors have a place without a name, so this is a table: save it as a .csv file and name that in “spineq evaluate CITY --sensors …”.${beside}`];
}
