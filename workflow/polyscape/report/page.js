/* Draws the figures in the reader's colours, ties them to the table, and turns the packing. */
"use strict";
(() => {
  const content = JSON.parse(document.getElementById("report-data").textContent);
  const root = document.documentElement;
  const config = { responsive: true, displaylogo: false, displayModeBar: "hover", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  let selected = null;

  /* Figures: "var(--name)" becomes the value of the CSS variable. */
  const resolve = (value, style) => {
    if (typeof value === "string" && value.startsWith("var(--")) return style.getPropertyValue(value.slice(4, -1)).trim();
    if (Array.isArray(value)) return value.map((item) => resolve(item, style));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, style)]));
    return value;
  };

  const ring = (figure) => {
    const points = { x: [], y: [] };
    for (const trace of figure.data) {
      (trace.customdata || []).forEach((data, index) => {
        if (selected && data[0] === selected) {
          points.x.push(trace.x[index]);
          points.y.push(trace.y[index]);
        }
      });
    }
    for (const trace of figure.data) if (trace.name === "selected") Object.assign(trace, points);
  };

  const draw = () => {
    const style = getComputedStyle(root);
    return Promise.all(Object.entries(content.figures).map(([id, specification]) => {
      const place = document.getElementById(id);
      const figure = resolve(specification, style);
      ring(figure);
      if (place.clientWidth < 480) {
        figure.layout.font.size = 11;
        figure.layout.margin = { ...figure.layout.margin, l: Math.min(figure.layout.margin.l, 46), r: Math.min(figure.layout.margin.r, 92) };
      }
      return Plotly.react(place, figure.data, figure.layout, config);
    }));
  };

  /* Selecting a structure: the row, the ring in each figure, the packing. */
  const rows = new Map([...document.querySelectorAll("#ranking-table tbody tr")].map((row) => [row.dataset.id, row]));
  const panel = document.getElementById("selected-facts");

  const select = (id, scroll) => {
    if (!rows.has(id)) return;
    rows.get(selected)?.removeAttribute("aria-current");
    selected = id;
    const row = rows.get(id);
    row.setAttribute("aria-current", "true");
    if (scroll) {
      const box = row.closest(".scroll");
      box.scrollTop = row.offsetTop - box.clientHeight / 2;
    }
    const labels = [...document.querySelectorAll("#ranking-table thead th")].map((head) => head.dataset.label);
    const facts = [...row.cells].map((cell, index) => [labels[index], [...cell.childNodes].map((node) => node.cloneNode(true))]);
    facts.push(["conventional cell", [row.dataset.cell]]);
    panel.replaceChildren(...facts.filter(([, content]) => content.some((node) => (node.textContent ?? node).trim())).flatMap(([label, content]) => {
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = label;
      value.append(...content);
      return [term, value];
    }));
    document.getElementById("selected-name").textContent = row.dataset.title;
    document.getElementById("no-packing").hidden = id in content.packings;
    for (const place of document.querySelectorAll(".plot")) {
      if (!place.data) continue;
      const index = place.data.findIndex((trace) => trace.name === "selected");
      if (index < 0) continue;
      const figure = { data: place.data.map((trace) => ({ ...trace })) };
      ring(figure);
      Plotly.restyle(place, { x: [figure.data[index].x], y: [figure.data[index].y] }, [index]);
    }
    viewer.show(content.packings[id] || null);
  };

  for (const [id, row] of rows) {
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a")) select(id, false);
    });
    row.addEventListener("keydown", (event) => {
      if (event.target === row && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        select(id, false);
      }
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-select]");
    if (button) select(button.dataset.select, true);
  });

  /* Sorting the table; the first click on a column sorts it upwards. */
  const sort = (button) => {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = head.cellIndex;
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => {
      const text = row.cells[column].dataset.sort;
      return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
    };
    const compare = (one, two) => {
      const [a, b] = [key(one), key(two)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      return up ? order : -order;
    };
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort(compare));
  };
  for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => sort(button));

  /* The packing: orthographic, nearer atoms drawn later; drag or arrow keys turn it. */
  const colours = { H: "#e8e8e8", C: "#6b7177", N: "#3f6fd6", O: "#d9443a", F: "#5fbf4a", S: "#d9b310", Cl: "#2fa84f", P: "#e07b28", Br: "#9b3a2c", I: "#7a3aa8" };
  const radii = { H: 0.24, C: 0.36, N: 0.36, O: 0.36 };
  const viewer = (() => {
    const canvas = document.getElementById("packing");
    let packing = null;
    let turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const times = (a, b) => a.map((_, index) => {
      const [row, column] = [Math.floor(index / 3) * 3, index % 3];
      return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6];
    });
    const about = (x, y) => {
      const [cx, sx, cy, sy] = [Math.cos(x), Math.sin(x), Math.cos(y), Math.sin(y)];
      return times([1, 0, 0, 0, cx, -sx, 0, sx, cx], [cy, 0, sy, 0, 1, 0, -sy, 0, cy]);
    };
    const apply = (x, y, z) => [0, 3, 6].map((row) => turn[row] * x + turn[row + 1] * y + turn[row + 2] * z);
    /* A rotation whose third row is a cell vector: the reader looks along that axis. */
    const along = (axis) => {
      const unit = (v) => v.map((value) => value / Math.hypot(...v));
      const cross = (p, q) => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
      const vector = (index) => packing.cell.slice(3 * index, 3 * index + 3);
      const z = unit(vector(axis));
      const other = vector((axis + 1) % 3);
      const dot = other.reduce((sum, value, index) => sum + value * z[index], 0);
      const x = unit(other.map((value, index) => value - dot * z[index]));
      turn = [...x, ...cross(z, x), ...z];
    };
    const paint = () => {
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      if (!packing) return;
      const style = getComputedStyle(root);
      const { xyz, elements, bonds, hbonds, cell } = packing;
      const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => [0, 1, 2].map((v) =>
        [0, 1, 2].reduce((sum, axis) => sum + ((bits >> axis & 1) - 0.5) * cell[3 * axis + v], 0)));
      let reach = 1;
      for (let i = 0; i < xyz.length; i += 3) reach = Math.max(reach, Math.hypot(xyz[i], xyz[i + 1], xyz[i + 2]));
      for (const corner of corners) reach = Math.max(reach, Math.hypot(...corner));
      const scale = 0.5 * Math.min(width, height) / (reach * 0.92);
      const project = (x, y, z) => {
        const [px, py, pz] = apply(x, y, z);
        return [width / 2 + px * scale, height / 2 - py * scale, pz];
      };
      const atoms = elements.map((_, i) => project(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]));
      const stroke = (a, b, colour, thick, dash) => {
        pen.strokeStyle = colour;
        pen.lineWidth = thick;
        pen.setLineDash(dash || []);
        pen.beginPath();
        pen.moveTo(a[0], a[1]);
        pen.lineTo(b[0], b[1]);
        pen.stroke();
      };
      const shapes = [];
      const points = corners.map((corner) => project(...corner));
      for (let from = 0; from < 8; from++) for (const bit of [1, 2, 4]) if (!(from & bit)) {
        const [a, b] = [points[from], points[from | bit]];
        shapes.push([Math.min(a[2], b[2]) - 50, () => stroke(a, b, style.getPropertyValue("--axis"), 1)]);
      }
      const pairs = (flat, paintPair) => {
        for (let i = 0; i < flat.length; i += 2) {
          const [a, b] = [atoms[flat[i]], atoms[flat[i + 1]]];
          shapes.push([(a[2] + b[2]) / 2 - 0.1, () => paintPair(a, b)]);
        }
      };
      pairs(hbonds, (a, b) => stroke(a, b, style.getPropertyValue("--hbond"), 1.6, [4, 4]));
      pairs(bonds, (a, b) => stroke(a, b, style.getPropertyValue("--bond"), Math.max(2, 0.17 * scale)));
      atoms.forEach(([x, y, z], index) => shapes.push([z, () => {
        const element = elements[index];
        const radius = Math.max(2, (radii[element] || 0.42) * scale);
        const shade = pen.createRadialGradient(x - radius / 3, y - radius / 3, radius / 8, x, y, radius);
        shade.addColorStop(0, "#ffffff");
        shade.addColorStop(0.35, colours[element] || "#b58fd0");
        shade.addColorStop(1, colours[element] || "#b58fd0");
        pen.fillStyle = shade;
        pen.strokeStyle = "rgba(0,0,0,.45)";
        pen.lineWidth = 0.7;
        pen.setLineDash([]);
        pen.beginPath();
        pen.arc(x, y, radius, 0, 2 * Math.PI);
        pen.fill();
        pen.stroke();
      }]));
      shapes.sort((one, two) => one[0] - two[0]).forEach(([, paintShape]) => paintShape());
      pen.setLineDash([]);
      pen.fillStyle = style.getPropertyValue("--ink");
      pen.font = `italic 600 14px ${style.getPropertyValue("--font")}`;
      for (const [corner, label] of [[0, "0"], [1, "a"], [2, "b"], [4, "c"]]) pen.fillText(label, points[corner][0] + 4, points[corner][1] - 4);
    };
    const rotate = (x, y) => {
      turn = times(about(x, y), turn);
      paint();
    };
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      rotate((event.clientY - last[1]) / 120, (event.clientX - last[0]) / 120);
      last = [event.clientX, event.clientY];
    });
    canvas.addEventListener("pointerup", () => { last = null; });
    canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: [0, -0.15], ArrowRight: [0, 0.15], ArrowUp: [-0.15, 0], ArrowDown: [0.15, 0] };
      if (!(event.key in steps)) return;
      event.preventDefault();
      rotate(...steps[event.key]);
    });
    for (const button of document.querySelectorAll("[data-axis]")) button.addEventListener("click", () => {
      if (!packing) return;
      along(Number(button.dataset.axis));
      paint();
    });
    new ResizeObserver(paint).observe(canvas);
    return {
      paint,
      show: (next) => {
        packing = next;
        if (packing) {
          const lengths = [0, 1, 2].map((axis) => Math.hypot(...packing.cell.slice(3 * axis, 3 * axis + 3)));
          along(lengths.indexOf(Math.min(...lengths)));
          turn = times(about(0.25, 0.35), turn);
        }
        paint();
      },
    };
  })();

  /* Colour schemes; paper is always light. */
  const theme = (name) => {
    root.dataset.theme = name;
    viewer.paint();
    return draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => theme(event.matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () => theme(root.dataset.theme === "dark" ? "light" : "dark"));
  let beforePrint = null;
  addEventListener("beforeprint", () => { beforePrint = root.dataset.theme; theme("light"); });
  addEventListener("afterprint", () => { theme(beforePrint); });

  draw().then(() => {
    for (const place of document.querySelectorAll(".plot")) {
      if (place.on) place.on("plotly_click", (event) => select(event.points[0].customdata?.[0], true));
    }
    const first = document.querySelector("#ranking-table tbody tr");
    if (first) select(first.dataset.id, false);
    root.dataset.ready = "true";
  });
})();
