/* Draws what each tick answers: banner, diagram and tables. Only what changed is touched. */
(function () {
  "use strict";
  const STALE_MS = 5000;
  const HISTORY = 90;
  const shown = { sequence: -1, at: Date.now(), values: {}, trend: {} };
  window.twinLive = shown;

  const byId = (id) => document.getElementById(id);
  function text(id, value) {
    const element = byId(id);
    if (element && element.textContent !== value) element.textContent = value;
  }

  /* ---- banner ---- */
  function drawBanner(banner) {
    text("banner-title", banner.title);
    text("banner-time", banner.time);
    text("banner-speed", banner.speed);
    text("banner-state", banner.paused ? "‖ paused" : "▶ running");
    byId("banner-state").className = banner.paused ? "state paused" : "state";
    const late = banner.late;
    const behind = late !== null && late >= 1;
    text("banner-late", late === null ? "" : behind ? "⧖ " + late.toFixed(1) + " s behind" : "on schedule");
    byId("banner-late").className = behind ? "late behind" : "late";
    text("banner-notice", banner.notice ? "⚠ " + banner.notice : "");
    byId("banner-notice").className = banner.notice ? "stale" : "stale hidden";
    Object.keys(banner.counts).forEach(function (letter) {
      const count = banner.counts[letter];
      text("count-" + letter, String(count));
      byId("badge-" + letter).className = "count priority-" + letter + (count ? "" : " none");
    });
    banner.activity.forEach((count, at) => text("activity-" + at, count.toLocaleString("en")));
    const pause = byId("pause");
    if (pause) {
      pause.disabled = banner.paused;
      byId("resume").disabled = !banner.paused;
    }
  }

  /* ---- tables ---- */
  function records(rows, columns) {
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  }
  /* With `whole`, what is not among the changed rows is gone. */
  function fill(grid, key, changed, removed, whole) {
    if (!changed.length && !removed.length && !whole) return;
    dash_ag_grid.getApiAsync(grid).then(function (api) {
      const add = [];
      const update = [];
      changed.forEach(function (record) {
        const node = api.getRowNode(record[key]);
        if (node) update.push(Object.assign({}, node.data, record));
        else add.push(record);
      });
      const gone = removed.map((id) => ({ [key]: id })).filter((row) => api.getRowNode(row[key]));
      if (whole) {
        const kept = new Set(changed.map((record) => record[key]));
        api.forEachNode((node) => { if (!kept.has(node.data[key])) gone.push({ [key]: node.data[key] }); });
      }
      if (add.length || update.length || gone.length) api.applyTransaction({ add: add, update: update, remove: gone });
    }, () => undefined);
  }

  /* ---- diagram ---- */
  function drawDiagram(svg) {
    const host = byId("diagram");
    if (!host || host.firstChild || !svg) return false;
    host.innerHTML = svg;
    host.querySelectorAll("[data-switch]").forEach(function (mark) {
      const ask = () => dash_clientside.set_props("switch-ask", {
        data: {
          name: mark.dataset.switch, bus: mark.dataset.bus, kind: mark.dataset.kind,
          closed: mark.classList.contains("closed"),
        },
      });
      mark.addEventListener("click", ask);
      mark.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); ask(); }
      });
    });
    return true;
  }
  function drawSwitches(switches) {
    const state = new Map(switches);
    document.querySelectorAll("#diagram [data-switch]").forEach(function (mark) {
      const closed = state.get(mark.dataset.switch);
      if (closed === undefined) return;
      mark.classList.toggle("closed", closed);
      mark.classList.toggle("open", !closed);
      mark.setAttribute("aria-label", mark.dataset.kind + " " + mark.dataset.switch + ", " + (closed ? "closed" : "open"));
    });
  }
  function mean(values) {
    const known = values.filter((value) => value !== null);
    return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  }
  const SHAPES = { H: "■ H", M: "▲ M", L: "● L" };
  function drawMeters(alarmed) {
    const si = window.dashAgGridFunctions.si;
    document.querySelectorAll("#diagram [data-meter]").forEach(function (label) {
      const values = shown.values[label.dataset.meter];
      const letter = alarmed[label.dataset.meter] || "";
      label.setAttribute("class", "meter" + (label.classList.contains("small") ? " small" : "") + (letter ? " priority-" + letter : ""));
      const put = function (kind, value) {
        const place = label.querySelector(kind);
        if (place && place.textContent !== value) place.textContent = value;
      };
      put(".meter-alarm", SHAPES[letter] || "");
      if (!values) return;
      put(".meter-v", si(mean([values.v1, values.v2, values.v3]), "V"));
      put(".meter-p", si(values.p, "W"));
    });
  }
  function remember(rows) {
    rows.forEach(function (row) {
      shown.values[row.name] = row;
    });
  }
  function trend() {
    Object.values(shown.values).forEach(function (row) {
      const past = shown.trend[row.name] || (shown.trend[row.name] = []);
      past.push(row.p);
      if (past.length > HISTORY) past.shift();
    });
  }

  /* ---- what Dash calls ---- */
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.twin = {
    apply: function (live, page) {
      const none = window.dash_clientside.no_update;
      if (!live) return none;
      if (byId("waiting")) { window.location.reload(); return none; }
      if (live.page !== page.page) return none;
      const fresh = drawDiagram(page.svg);
      if (live.sequence !== shown.sequence) { shown.sequence = live.sequence; shown.at = Date.now(); }
      drawBanner(live.banner);
      stale();
      if (live.page === "overview") {
        const rows = records(live.meters, page.columns.meters);
        remember(rows);
        trend();
        drawSwitches(live.switches);
        drawMeters(live.alarmed);
        fill("meter-grid", "name", fresh ? Object.values(shown.values) : rows, [], false);
      } else if (live.page === "alarms") {
        fill("alarm-grid", "key", records(live.alarms, page.columns.alarms), live.removed, live.whole);
        fill("soe-grid", "key", records(live.soe, page.columns.soe), live.soe_removed, live.whole);
      } else if (live.page === "events") {
        const events = records(live.events, page.columns.events);
        fill("event-grid", "key", events, live.removed, live.whole);
        if (events.length || live.removed.length || live.whole) dash_clientside.set_props("events-changed", { data: live.sequence });
        if (live.captures !== page.captures) {
          page.captures = live.captures;
          dash_clientside.set_props("captures-changed", { data: live.captures });
        }
      }
      return live.sequence;
    },
    zoomed: function (change) {
      const none = window.dash_clientside.no_update;
      if (!change) return none;
      if (change["xaxis.autorange"]) return null;
      const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      return range[0] === undefined ? none : range.map(String);
    },
    watch: function () { stale(); },
    ask: function (asked) {
      if (!asked) return ["veil hidden", "", "Operate"];
      const verb = asked.closed ? "Open" : "Close";
      const what = asked.kind === "capacitor" ? "capacitor switch" : "switch";
      window.setTimeout(() => byId("confirm-yes") && byId("confirm-yes").focus(), 0);
      return ["veil", verb + " " + what + " " + asked.name + " at bus " + asked.bus + "?", verb + " " + asked.name];
    },
    cancel: function () { return null; },
    filterAlarms: function (meters, state) {
      const model = {};
      if (meters && meters.length) {
        const conditions = meters.map((name) => ({ filterType: "text", type: "equals", filter: name }));
        model.meter = conditions.length === 1 ? conditions[0] : { filterType: "text", operator: "OR", conditions: conditions };
      }
      const sequence = Object.assign({}, model);  // inputs go on and off: they have no such state
      if (state !== "all") model.state = { filterType: "text", type: "equals", filter: state };
      return [model, sequence];
    },
  };
  function stale() {
    const silent = Date.now() - shown.at;
    const line = byId("banner-stale");
    if (!line) return;
    const quiet = silent > STALE_MS && shown.sequence >= 0;
    line.className = quiet ? "stale" : "stale hidden";
    text("banner-stale", quiet ? "⚠ The simulation has not answered for " + Math.round(silent / 1000) + " s; what is shown is old." : "");
    document.body.classList.toggle("is-stale", quiet);
  }
  document.addEventListener("keydown", function (event) {
    const veil = byId("confirm");
    if (event.key === "Escape" && veil && !veil.classList.contains("hidden")) dash_clientside.set_props("switch-ask", { data: null });
  });
})();
