/** What the chat and the echo box share: where to connect, how an end is told, how an endpoint is shown. */

const REASONS = new Map([
  [1000, 'normal closure'],
  [1001, 'going away'],
  [1002, 'protocol error'],
  [1005, 'no status'],
  [1006, 'connection lost'],
  [1008, 'policy violation'],
  [1009, 'message too big'],
  [1011, 'server error'],
  [1012, 'service restart'],
  [1013, 'try again later'],
  [1014, 'bad gateway'],
]);

/** A WebSocket address beside this page, `ws` or `wss` as the page is `http` or `https`. */
export function webSocketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  return url;
}

/** `1012 service restart`: the code with the reason that came with it, else with what the code means. */
export function describeClose({ code, reason }) {
  const words = reason || REASONS.get(code);
  return words ? `${code} ${words}` : String(code);
}

/** @param state open, waiting or closed */
export function showState(element, state, words) {
  element.dataset.state = state;
  // Said again, a word would be read out again.
  if (element.textContent !== words) element.textContent = words;
}

const hues = new Map();

/** Writes an endpoint in a colour that stays its own on this page. */
export function showEndpoint(element, endpoint) {
  element.textContent = endpoint;
  element.dataset.hue = hueOf(endpoint);
}

export function hueOf(endpoint) {
  if (!hues.has(endpoint)) hues.set(endpoint, hues.size % 6);
  return String(hues.get(endpoint));
}

/** A new element with a class and, as text and never as markup, a content. */
export function element(name, className, text = '') {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
