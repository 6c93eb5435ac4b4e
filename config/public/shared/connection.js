/** A WebSocket that connects again, and how connections and endpoints are shown. */

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** A connection that lives shorter counts as failed: the next delay is longer. */
const STEADY_MS = 5000;

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

/** A WebSocket of JSON messages. After each end it connects again, after a delay that grows with failures. */
export class Connection {
  #url;
  #state;
  #handlers;
  #socket = null;
  #openedAt = null;
  #failures = 0;
  #retry = null;

  /**
   * @param path the path beside this page
   * @param state the element that shows the state
   * @param handlers `message(object)`, and, if wanted, `opened()` and `closed({ close, hadOpened, delayMs })`
   */
  constructor(path, state, handlers) {
    this.#url = webSocketUrl(path);
    this.#state = state;
    this.#handlers = handlers;
    addEventListener('online', () => {
      if (this.#retry !== null) this.connect();
    });
    this.connect();
  }

  /** Connects at once, if a delay is running. */
  connect() {
    if (this.#socket !== null) return;
    clearTimeout(this.#retry);
    this.#retry = null;
    showState(this.#state, 'waiting', 'Connecting');
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#openedAt = performance.now();
      showState(this.#state, 'open', 'Connected');
      this.#handlers.opened?.();
    });
    socket.addEventListener('message', ({ data }) => this.#handlers.message(JSON.parse(data)));
    socket.addEventListener('close', (event) => this.#closed(event));
  }

  /** Sends a message, or drops it without a connection. */
  send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #closed(event) {
    const hadOpened = this.#openedAt !== null;
    if (hadOpened && performance.now() - this.#openedAt > STEADY_MS) this.#failures = 0;
    const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    const delayMs = ceiling * (0.5 + Math.random() / 2);
    this.#socket = this.#openedAt = null;
    showState(this.#state, 'closed', 'Disconnected');
    this.#retry = setTimeout(() => this.connect(), delayMs);
    this.#handlers.closed?.({ close: describeClose(event), hadOpened, delayMs });
  }
}

/** A WebSocket address beside this page, `ws` or `wss` as the page is `http` or `https`. */
export function webSocketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  return url;
}

/** `1012 service restart`: the code with the reason of the close frame, or else the meaning of the code. */
export function describeClose({ code, reason }) {
  const words = reason || REASONS.get(code);
  return words ? `${code} ${words}` : String(code);
}

/** @param state open, waiting or closed */
export function showState(element, state, words) {
  element.dataset.state = state;
  // A screen reader would read the same word out again.
  if (element.textContent !== words) element.textContent = words;
}

const HUES = 6;
const hues = new Map();

/** Writes an endpoint in a colour that stays its own on this page. */
export function showEndpoint(element, endpoint) {
  element.textContent = endpoint;
  element.dataset.hue = hueOf(endpoint);
}

/** Writes a dash in place of an endpoint. */
export function showNoEndpoint(element) {
  element.textContent = '–';
  delete element.dataset.hue;
}

export function hueOf(endpoint) {
  if (!hues.has(endpoint)) hues.set(endpoint, hues.size % HUES);
  return String(hues.get(endpoint));
}

/** A new element with a class and a text, which is never read as markup. */
export function element(name, className = '', text = '') {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}
