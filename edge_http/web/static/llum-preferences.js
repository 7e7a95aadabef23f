// Shows a page as a person prefers it; where they say nothing, as their browser is set.

const MEDIA = {
  "prefers-color-scheme": ["light", "dark"],
  "prefers-contrast": ["no-preference", "more", "less", "custom"],
  "prefers-reduced-motion": ["no-preference", "reduce"],
  "prefers-reduced-transparency": ["no-preference", "reduce"],
  "forced-colors": ["none", "active"],
  "inverted-colors": ["none", "inverted"],
};
const UNITS = { "font-size": "pt", "letter-spacing": "em", "word-spacing": "em" };
const NAME = /^[a-z][a-z0-9-]{0,63}$/;
// A word, a colour or a length: no address, and nothing that leads to one.
const SAFE = /^(#[0-9a-f]{3,8}|(rgb|hsl)a?\([\d., %/]{3,40}\)|[a-z][a-z0-9-]{0,63}|-?\d{1,6}(\.\d{1,6})?(p[tx]|r?em|%)?)$/i;

const media = Object.entries(MEDIA).flatMap(([name, values]) =>
  values.map((value) => ({ name, value, query: matchMedia(`(${name}: ${value})`) })));

function text(name, value) {
  if (Object.hasOwn(MEDIA, name)) return MEDIA[name].includes(value) && value;
  if (typeof value === "number") value = `${+value.toFixed(4)}${UNITS[name] || ""}`;
  return ["string", "boolean"].includes(typeof value) && NAME.test(name) && SAFE.test(value) && `${value}`;
}

const className = (name, value) => `llum-${name}-${value.replaceAll(" ", "_")}`;

function counting(preferences) {
  const own = media.filter(({ query }) => query.matches).map(({ name, value }) => [name, value]);
  const said = Object.entries(preferences).map(([term, value]) => [term.replace(/^--/, ""), value]);
  return Object.fromEntries([...own, ...said.map(([name, value]) => [name, text(name, value)])].filter(([, value]) => value));
}

/** `source`: a preference set in the view css, or the preferences of one, or where it is: { url, token, key, live }. */
export function applyPreferences(source = {}, { root = document.documentElement, set = "gpii-default" } = {}) {
  const ending = new AbortController();
  const { signal } = ending;
  const { url, token, key = "me", live } = source;
  let said = {};
  let values = {};

  function remove() {
    for (const [name, value] of Object.entries(values)) {
      root.style.removeProperty(`--llum-${name}`);
      root.classList.remove(className(name, value));
    }
    values = {};
  }
  function show() {
    if (signal.aborted) return;
    remove();
    values = counting(said);
    for (const [name, value] of Object.entries(values)) {
      root.style.setProperty(`--llum-${name}`, value);
      root.classList.add(className(name, value));
    }
    root.dispatchEvent(new CustomEvent("llum-preferences", { detail: { ...values } }));
  }
  function update(given) {
    said = (given.contexts ? given.contexts[set]?.preferences : given) || {};
    show();
  }
  async function get(path) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const address = new URL(`/preferences/${encodeURIComponent(key)}${path}?view=css`, url);
    const answer = await fetch(address, { headers, signal, credentials: "omit", cache: "no-store" });
    if (!answer.ok) throw new Error(`llum answers ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    return answer;
  }
  const load = async () => update(await (await get("")).json());

  // Until llum refuses.
  async function follow() {
    for (;;) {
      try {
        const reader = (await get("/changes")).body.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = { value: "data:" }; !part.done; part = await reader.read()) {
          if (part.value.includes("data:")) await load();
        }
      } catch (error) {
        if (!(error instanceof TypeError)) return; // The network fails so.
      }
      await new Promise((done) => setTimeout(done, 5000));
    }
  }

  for (const { query } of media) query.addEventListener("change", show, { signal });
  update(url ? {} : source);
  const ready = url ? load() : Promise.resolve();
  ready.then(live && follow, () => {});
  const unset = () => (ending.abort(), remove());
  return { ready, update, unset, get values() { return { ...values }; } };
}
