/* What table cells look like: numbers with units, bars with their normal band, tendencies, alarm marks. */
(function () {
  "use strict";
  const DASH = "–";
  const forms = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"]];

  forms.si = function (value, unit) {
    if (value === null || value === undefined) return DASH;
    const size = Math.abs(value);
    if (size < 5e-4) return "0 " + unit;
    const found = PREFIXES.find((entry) => size >= entry[0] * 0.9999) || PREFIXES[4];
    const scaled = value / found[0];
    const whole = Math.abs(scaled) >= 1 ? String(Math.trunc(Math.abs(scaled))).length : 1;
    return scaled.toFixed(Math.max(0, 4 - whole)) + " " + found[1] + unit;
  };
  forms.fixed = function (value, places, unit) {
    if (value === null || value === undefined) return DASH;
    return value.toFixed(places) + (unit ? " " + unit : "");
  };

  forms.energy = function (kwh) {
    if (kwh === null || kwh === undefined) return DASH;
    const size = Math.abs(kwh);
    return size < 1e4 ? kwh.toFixed(1) + " kWh" : (kwh / 1e3).toFixed(size < 1e6 ? 3 : 1) + " MWh";
  };
  forms.byDuration = function (a, b, first, second) {
    const long = (node) => (node.data.duration_s === null ? Infinity : node.data.duration_s);
    const d = long(first) - long(second);
    return Number.isNaN(d) ? 0 : d;
  };

  function element(name, props, ...children) {
    return React.createElement(name, props, ...children);
  }
  /* A track from low to high percent of the rated value, its normal band, and a mark at the value. */
  function track(percent, low, high, from, to) {
    const at = (value) => Math.min(100, Math.max(0, (100 * (value - low)) / (high - low))) + "%";
    const width = (100 * (to - from)) / (high - low) + "%";
    return element("span", { className: "track" },
      element("span", { className: "band", style: { left: at(from), width: width } }),
      element("span", { className: "mark", style: { left: at(percent) } }));
  }
  cells.VoltageBand = function (props) {
    const value = props.value;
    const rated = props.data.rated_v;
    if (value === null || value === undefined || !rated) return element("span", {}, forms.si(value, "V"));
    const percent = (100 * value) / rated;
    const sign = percent < 90 ? "▼ " : percent > 110 ? "▲ " : "";
    return element("span", { className: "barred" + (sign ? " off-normal" : ""), title: percent.toFixed(1) + " % of rated; normal 90..110 %" },
      element("span", {}, sign + forms.si(value, "V")), track(percent, 80, 120, 90, 110));
  };
  cells.CurrentBar = function (props) {
    const value = props.value;
    const rated = props.data.rated_i;
    if (value === null || value === undefined || !rated) return element("span", {}, forms.si(value, "A"));
    const percent = (100 * value) / rated;
    const sign = percent > 100 ? "▲ " : "";
    return element("span", { className: "barred" + (sign ? " off-normal" : ""), title: percent.toFixed(1) + " % of rated; normal 0..100 %" },
      element("span", {}, sign + forms.si(value, "A")), track(percent, 0, 120, 0, 100));
  };
  cells.Tendency = function (props) {
    const past = (window.twinLive.trend[props.data.name] || []).filter((value) => value !== null);
    const number = element("span", {}, forms.si(props.value, "W"));
    if (past.length < 2) return element("span", { className: "trended" }, number);
    const low = Math.min(...past);
    const high = Math.max(...past);
    // A steady load draws a flat line: noise of a percent is not stretched over the cell.
    const span = Math.max(high - low, 0.05 * Math.max(Math.abs(high), Math.abs(low)), 1e-9);
    const middle = (high + low) / 2;
    const points = past.map((value, at) => ((44 * at) / (past.length - 1)).toFixed(1) + "," + (9 - (16 * (value - middle)) / span).toFixed(1));
    return element("span", { className: "trended" },
      element("svg", { width: 44, height: 18, className: "spark", "aria-hidden": true }, element("polyline", { points: points.join(" ") })), number);
  };
  const GLYPHS = { sag: "▼", swell: "▲", over_current: "◆" };
  cells.MeterName = function (props) {
    const event = props.data.event;
    if (!event) return element("span", {}, props.data.name);
    const mark = (GLYPHS[event] || "◆") + " " + event.replace("_", " ");
    return element("span", { className: "in-event", title: "In a power-quality event now" }, props.data.name + " ",
      element("span", { className: "event-mark" }, mark));
  };
  const SHAPES = { H: "■", M: "▲", L: "●" };
  cells.AlarmMark = function (props) {
    const active = props.data.state === "active";
    return element("span", { className: active ? "alarm-mark priority-" + props.data.priority : "alarm-mark" },
      element("span", { className: "shape" }, SHAPES[props.data.priority]), " " + props.data.priority);
  };
  cells.RegionMark = function (props) {
    const words = { inside: "○ inside", under: "◆ below", over: "✖ above", "": "" };
    return element("span", { className: props.value ? "region region-" + props.value : "" }, words[props.value]);
  };
  /* Value of an alarm in the unit of its parameter. */
  forms.quantity = function (value, parameter) {
    if (value === null || value === undefined) return DASH;
    const name = (parameter || "").toLowerCase();
    if (/^(thd|.*unb)/.test(name)) return (100 * value).toFixed(2) + " %";
    if (/phase_sequence|angle/.test(name)) return value + "°";
    if (/^(pf|di|ai|load)/.test(name)) return String(value);
    if (/^f/.test(name)) return value + " Hz";
    if (/^v/.test(name)) return forms.si(value, "V");
    if (/^i/.test(name)) return forms.si(value, "A");
    if (/^p($|[^a-z]|demand|_)/.test(name)) return forms.si(value, "W");
    if (/^q/.test(name)) return forms.si(value, "var");
    if (/^s/.test(name)) return forms.si(value, "VA");
    return String(value);
  };
})();
