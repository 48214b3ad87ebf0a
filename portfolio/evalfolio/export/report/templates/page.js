"use strict";
(() => {
  // Paper shows what is folded on the screen.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  const data = document.getElementById("frontier-data");
  if (!data) return;
  const points = JSON.parse(data.textContent);
  const slider = document.getElementById("budget");
  const dot = document.getElementById("frontier-dot");
  const line = document.getElementById("frontier-line");
  const body = document.querySelector("#budget-mix tbody");
  const cell = (row, kind, text, look) => {
    const made = document.createElement(kind);
    made.textContent = text; // never markup: names come from catalogues
    if (kind === "th") made.scope = "row";
    if (look) made.className = look;
    row.append(made);
    return made;
  };
  const show = () => {
    const point = points[Number(slider.value)];
    document.getElementById("budget-shown").textContent = point.budget;
    slider.setAttribute("aria-valuetext", point.budget);
    const says = document.getElementById("budget-says");
    says.textContent = point.count + " " + says.dataset.of + ", " + point.deep
      + " of the money on maximum elicitation, " + point.share
      + " of perfect information; within " + point.gap + " of the best.";
    dot.setAttribute("cx", point.x);
    dot.setAttribute("cy", point.y);
    line.setAttribute("x1", point.x);
    line.setAttribute("x2", point.x);
    body.replaceChildren(...point.mix.map(([name, tier, usd, look]) => {
      const row = document.createElement("tr");
      cell(row, "th", name);
      cell(cell(row, "td", ""), "span", tier, "tier " + look);
      cell(row, "td", usd, "n");
      return row;
    }));
  };
  slider.addEventListener("input", show);
  show(); // a reloaded page may keep the slider where it was
})();
