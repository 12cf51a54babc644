"use strict";

// Charts: drawn one after the other, so that the page answers meanwhile. `ast` makes the library interpret its
// expressions instead of compiling them, which the page's policy forbids.
async function drawCharts() {
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const options = { actions: false, ast: true, defaultStyle: false, renderer: "svg", tooltip: { disableDefaultStyle: true } };
  for (const place of document.querySelectorAll("[data-chart]")) {
    try {
      await vegaEmbed(place, specs[place.dataset.chart], options);
    } catch (error) {
      console.error(error);
      place.textContent = "This chart could not be drawn; its figures are in the table below.";
    }
  }
  document.documentElement.dataset.drawn = "yes";
}

const table = document.getElementById("every-cell");
const body = table.tBodies[0];
const form = document.getElementById("filter");
const collator = new Intl.Collator("en", { numeric: true });

// What has no number comes last, whichever way a column of numbers is sorted.
function comparison(column, direction, numeric) {
  return (one, other) => {
    const [a, b] = [one.cells[column], other.cells[column]];
    if (!numeric) return direction * collator.compare(a.textContent, b.textContent);
    const [x, y] = [a, b].map((cell) => (cell.dataset.value === undefined ? NaN : Number(cell.dataset.value)));
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return direction * (x - y);
  };
}

function sortBy(header) {
  const direction = header.ariaSort === "ascending" ? -1 : 1;
  for (const other of header.parentElement.cells) other.ariaSort = "none";
  header.ariaSort = direction === 1 ? "ascending" : "descending";
  const numeric = header.classList.contains("number");
  body.append(...[...body.rows].sort(comparison(header.cellIndex, direction, numeric)));
}

function filterRows() {
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const state = form.elements.state.value;
  let shown = 0;
  for (const row of body.rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = (state !== "" && row.dataset.state !== state) || !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  form.querySelector("output").textContent = `${shown} of ${body.rows.length} cells`;
}

for (const header of table.tHead.rows[0].cells) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
for (const name of ["input", "change"]) form.addEventListener(name, filterRows);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeprint", () => {
  for (const closed of document.querySelectorAll(".warnings details")) closed.open = true;
});
drawCharts();
