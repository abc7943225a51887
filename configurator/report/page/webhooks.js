"use strict";
(() => {
  const PAGE = 200;
  const data = JSON.parse(document.getElementById("data").textContent);
  const [CLASS, GITLAB, PROJECT, ID, JOB, URL_, EVENTS, EVIDENCE, OWNER, CREATED, ALSO, DELIVERIES] = Array(12).keys();
  const columns = [
    ["Class", CLASS], ["Project", PROJECT], ["Hook", ID], ["Job", JOB],
    ["Events", EVENTS], ["Evidence", EVIDENCE], ["Owner", OWNER], ["Created", CREATED],
  ];
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const number = new Intl.NumberFormat("en");
  const one = (id) => document.getElementById(id);
  const search = one("search"), classes = one("class"), sort = one("sort"), body = one("rows"), more = one("more");
  const tiles = [...document.querySelectorAll(".tile")];
  const state = { column: CLASS, down: false, found: data.rows, shown: 0 };
  let texts = null;

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined && text !== "") made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function linked(text, href) {
    if (!href) return element("span", text);
    const link = element("a", text);
    link.href = href;
    link.rel = "noopener noreferrer";
    return link;
  }

  const path = (text) => text.split("/").map(encodeURIComponent).join("/");

  function hookLink(row) {
    const base = data.gitlabs[row[GITLAB]].url;
    return base && `${base}/${path(row[PROJECT])}/-/hooks/${row[ID]}/edit`;
  }

  function jobLink(row) {
    const gone = data.classes[row[CLASS]] === "orphaned";
    return !gone && data.jenkins && `${data.jenkins}/job/${row[JOB].split("/").map(encodeURIComponent).join("/job/")}`;
  }

  function cell(row, column) {
    const made = element("td");
    if (column === CLASS) {
      made.className = "class";
      const name = data.classes[row[CLASS]];
      made.append(element("span", name, `badge c-${name}`));
      if (row[ALSO]) made.append(element("small", `also ${row[ALSO]}`));
    } else if (column === PROJECT) {
      made.append(element("span", row[PROJECT]));
      if (data.gitlabs.length > 1) made.append(element("small", data.gitlabs[row[GITLAB]].name));
    } else if (column === ID) {
      made.className = "id";
      made.append(linked(String(row[ID]), hookLink(row)));
    } else if (column === JOB) {
      if (row[JOB]) made.append(linked(row[JOB], jobLink(row)));
      made.append(element("small", row[URL_]));
    } else if (column === EVIDENCE) {
      made.className = "evidence";
      made.append(element("span", row[EVIDENCE]));
      if (row[DELIVERIES]) made.append(element("small", `latest answers: ${row[DELIVERIES]}`));
    } else if (column === CREATED) {
      made.className = "date";
      if (row[CREATED]) made.append(element("span", row[CREATED].slice(0, 10)));
    } else if (row[column]) {
      made.className = column === EVENTS ? "events" : "owner";
      made.append(element("span", row[column]));
    }
    return made;
  }

  function showMore() {
    const part = document.createDocumentFragment();
    for (const row of state.found.slice(state.shown, state.shown + PAGE)) {
      const line = element("tr");
      for (const [label, column] of columns) {
        const made = cell(row, column);
        made.dataset.label = label;
        line.append(made);
      }
      part.append(line);
    }
    body.append(part);
    state.shown = Math.min(state.found.length, state.shown + PAGE);
    const of = state.found.length === data.rows.length ? "" : ` of ${number.format(data.rows.length)}`;
    one("status").textContent = `${number.format(state.found.length)}${of} hooks, ${number.format(state.shown)} shown`;
    more.hidden = state.shown >= state.found.length;
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) {
      texts = new Map(data.rows.map((row) => [row, [data.classes[row[CLASS]], ...row.slice(PROJECT)].join(" ").toLowerCase()]));
    }
    const wanted = classes.value === "" ? null : Number(classes.value);
    const found = data.rows.filter((row) =>
      (wanted === null || row[CLASS] === wanted) && words.every((word) => texts.get(row).includes(word)));
    const column = state.column, sign = state.down ? -1 : 1;
    const numeric = column === CLASS || column === ID;
    // Sorting is stable, so that rows of the same value stay in the order of the report: the worst first.
    found.sort((a, b) => sign * (numeric ? a[column] - b[column] : collator.compare(a[column], b[column])));
    state.found = found;
    state.shown = 0;
    body.replaceChildren();
    showMore();
    for (const head of one("head").children) {
      const here = Number(head.dataset.column) === column;
      head.setAttribute("aria-sort", here ? (state.down ? "descending" : "ascending") : "none");
    }
    sort.value = String(column);
    for (const tile of tiles) {
      tile.setAttribute("aria-pressed", String(wanted !== null && data.classes[wanted] === tile.dataset.class));
    }
  }

  function choose(column) {
    state.down = state.column === column && !state.down;
    state.column = column;
    show();
  }

  for (const [label, column] of columns) {
    const head = element("th");
    head.scope = "col";
    head.dataset.column = column;
    const button = element("button", label);
    button.type = "button";
    button.addEventListener("click", () => choose(column));
    head.append(button);
    one("head").append(head);
    const option = element("option", label.toLowerCase());
    option.value = String(column);
    sort.append(option);
  }
  data.classes.forEach((name, at) => {
    if (!data.rows.some((row) => row[CLASS] === at)) return;
    const option = element("option", name);
    option.value = String(at);
    classes.append(option);
  });
  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      const at = String(data.classes.indexOf(tile.dataset.class));
      classes.value = classes.value === at ? "" : at;
      show();
      one("hooks").scrollIntoView({ block: "start" });
    });
  }
  for (const item of document.querySelectorAll(".diagram li")) {
    const name = item.textContent.trim();
    if (name.startsWith("(")) continue;
    item.dataset.query = name.replace(/…$/, "");
    item.addEventListener("click", () => {
      search.value = item.dataset.query;
      show();
      one("hooks").scrollIntoView({ block: "start" });
    });
  }
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 150);
  });
  classes.addEventListener("change", show);
  sort.addEventListener("change", () => {
    state.down = false;
    state.column = Number(sort.value);
    show();
  });
  more.addEventListener("click", showMore);
  one("live").hidden = false;
  show();
})();
