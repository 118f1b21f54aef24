
"use strict";

// Values at a number of labels, lines that can be switched off, and the axis of the chart in `figure`.
function bringToLife(figure) {
  const svg = figure.querySelector(".plot svg");
  const tooltip = figure.querySelector(".tooltip");
  const stops = [...figure.querySelectorAll(".stop")];
  const reader = figure.querySelector(".reader input");
  const lines = new Map([...svg.querySelectorAll(".line")].map((line) => [line.dataset.line, line]));

  for (const box of figure.querySelectorAll(".legend input")) {
    const line = lines.get(box.dataset.line);
    const follow = () => line.classList.toggle("off", !box.checked);
    box.addEventListener("change", () => { follow(); hide(); });
    follow(); // a browser may have kept what was switched off before
  }
  if (!reader) return;

  figure.querySelector(".controls").hidden = false;
  const switches = [...figure.querySelectorAll(".axis-switch input")];
  for (const choice of switches) {
    choice.addEventListener("change", () => { hide(); turnAxis(svg, choice.value === "linear"); });
  }
  turnAxis(svg, switches.some((choice) => choice.checked && choice.value === "linear"));

  const output = figure.querySelector(".reader output");
  const valuesAt = (place) => [...lines.values()]
    .filter((line) => !line.classList.contains("off"))
    .map((line) => ({ line, dot: line.querySelector(`.dot[data-stop="${place}"]`) }))
    .filter(({ dot }) => dot)
    .sort((one, other) => one.dot.getBoundingClientRect().top - other.dot.getBoundingClientRect().top);
  const nameOf = (line) => figure.querySelector(`.legend input[data-line="${line.dataset.line}"] ~ .name`).textContent;

  function tell(place) {
    const values = valuesAt(place).map(({ line, dot }) => `${nameOf(line)} ${dot.dataset.said}`);
    output.textContent = stops[place].dataset.title;
    reader.setAttribute("aria-valuetext", `${stops[place].dataset.title}: ${values.join("; ") || "no score"}`);
  }

  function show(place) {
    reader.value = place;
    tell(place);
    stops.forEach((stop, other) => stop.setAttribute("visibility", other === place ? "visible" : "hidden"));
    const heading = document.createElement("strong");
    heading.textContent = stops[place].dataset.title;
    tooltip.replaceChildren(heading, ...valuesAt(place).map(({ line, dot }) => {
      const row = document.createElement("span");
      const value = document.createElement("b");
      value.textContent = dot.dataset.said;
      const swatch = figure.querySelector(`.legend input[data-line="${line.dataset.line}"] ~ .swatch`).cloneNode(true);
      row.append(swatch, nameOf(line), value);
      return row;
    }));
    tooltip.hidden = false;
    const plot = tooltip.parentElement.getBoundingClientRect();
    const at = stops[place].getBoundingClientRect().left - plot.left;
    const before = at - tooltip.offsetWidth - 14;
    const after = Math.min(at + 14, plot.width - tooltip.offsetWidth);
    tooltip.style.left = `${Math.max(0, at > plot.width / 2 ? before : after)}px`;
    tooltip.style.top = plot.width < 480 ? `${plot.height}px` : "12px";
  }

  function hide() {
    tooltip.hidden = true;
    stops.forEach((stop) => stop.setAttribute("visibility", "hidden"));
    if (reader) tell(Number(reader.value));
  }

  svg.addEventListener("pointermove", (event) => {
    const distances = stops.map((stop) => Math.abs(stop.getBoundingClientRect().left - event.clientX));
    show(distances.indexOf(Math.min(...distances)));
  });
  svg.addEventListener("pointerleave", hide);
  reader.addEventListener("input", () => show(Number(reader.value)));
  reader.addEventListener("focus", () => show(Number(reader.value)));
  reader.addEventListener("blur", hide);
  reader.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  hide();
}

// What has another place on the linear axis swaps the two; what is drawn for one of the axes shows with it.
function turnAxis(svg, linear) {
  for (const part of svg.querySelectorAll("[data-linear]")) {
    const name = part.hasAttribute("transform") ? "transform" : "d";
    part.dataset.logarithmic ??= part.getAttribute(name);
    part.setAttribute(name, linear ? part.dataset.linear : part.dataset.logarithmic);
  }
  svg.querySelector(".budgets.logarithmic").setAttribute("visibility", linear ? "hidden" : "visible");
  svg.querySelector(".budgets.linear").setAttribute("visibility", linear ? "visible" : "hidden");
}

// Headings become buttons that sort; what has no number stays last, equal rows stay in their order.
function makeSortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const numbers = heading.classList.contains("number");
      const first = numbers && place > 0 ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === first ? second : first;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row.cells[place], numbers) }));
      rows.sort((one, other) => {
        if (one.key === null || other.key === null) return (one.key === null) - (other.key === null);
        return sign * (numbers ? one.key - other.key : one.key.localeCompare(other.key, "en", { numeric: true }));
      });
      body.append(...rows.map(({ row }) => row));
    });
  });
}

function keyOf(cell, numbers) {
  if (!numbers) return cell.textContent.trim();
  return cell.dataset.order === undefined ? null : Number(cell.dataset.order);
}

document.querySelectorAll("figure.chart").forEach(bringToLife);
document.querySelectorAll("table[data-sortable]").forEach(makeSortable);

// On paper everything is open, and afterwards as it was.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach((one) => { one.open = true; });
});
addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
