import {
  describeClose,
  element,
  hueOf,
  showEndpoint,
  showNoEndpoint,
  showState,
  webSocketUrl,
} from '../shared/connection.js';

const ANSWER_MS = 10_000;

/** Sends texts to the echo app, and shows each echo, its round trip and its endpoint. */
export function startEcho() {
  const byId = (id) => document.getElementById(`echo-${id}`);
  const tally = new Map();
  let connection = null;
  let busy = false;

  /** Opens a connection in place of the one before. */
  async function connect() {
    connection?.close();
    showState(byId('state'), 'waiting', 'Connecting');
    const opening = new EchoConnection();
    connection = opening;
    opening.ended.then((close) => {
      if (opening === connection) showState(byId('state'), 'closed', `Closed: ${close}`);
    });
    const { endpoint } = await opening.carriers;
    if (opening !== connection) return;
    showState(byId('state'), 'open', 'Connected');
    tally.set(endpoint, (tally.get(endpoint) ?? 0) + 1);
    showTally();
    showEndpoint(byId('endpoint'), endpoint);
  }

  async function send(text) {
    if (byId('fresh').checked || !connection?.isOpen) await connect();
    const sentAt = performance.now();
    const answer = await connection.echo(text);
    byId('time').textContent = `${(performance.now() - sentAt).toFixed(1)} ms`;
    showAnswer(answer === text ? answer : `Not what was sent: ${answer}`, answer !== text);
  }

  /** Runs one action at a time, and shows an error. */
  async function attempt(action) {
    if (busy) return;
    busy = true;
    byId('send').disabled = byId('connect').disabled = true;
    try {
      await action();
    } catch (error) {
      byId('time').textContent = '–';
      showNoEndpoint(byId('endpoint'));
      showAnswer(error.message, true);
    } finally {
      busy = false;
      byId('send').disabled = byId('connect').disabled = false;
    }
  }

  function showAnswer(words, bad) {
    byId('answer').textContent = words;
    byId('answer').classList.toggle('bad', bad);
  }

  function showTally() {
    const most = Math.max(...tally.values());
    const lines = [...tally].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    byId('tally').replaceChildren(
      ...lines.map(([endpoint, count]) => {
        const line = element('li', '');
        const bar = element('span', 'bar');
        line.dataset.hue = hueOf(endpoint);
        bar.style.setProperty('--share', `${(100 * count) / most}%`);
        line.append(element('span', 'endpoint', endpoint), element('span', 'count', count), bar);
        return line;
      }),
    );
  }

  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(() => send(byId('text').value));
  });
  byId('connect').addEventListener('click', () => attempt(connect));
  attempt(connect);
}

/** A WebSocket to the echo app that gets the name of its endpoint first, and then every text back. */
class EchoConnection {
  #socket = new WebSocket(webSocketUrl('wsapp'), 'sluice.demo');
  #waiting = [];

  constructor() {
    this.carriers = this.#next().then((hello) => JSON.parse(hello));
    this.ended = new Promise((settle) => {
      this.#socket.addEventListener('close', (event) => {
        const close = describeClose(event);
        for (const { fail } of this.#waiting.splice(0)) fail(new Error(`Connection closed: ${close}`));
        settle(close);
      });
    });
    this.#socket.addEventListener('message', (event) => this.#waiting.shift()?.settle(event.data));
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  echo(text) {
    this.#socket.send(text);
    return this.#next();
  }

  close() {
    this.#socket.close(1000);
  }

  /** Resolves with the next message. */
  #next() {
    return new Promise((settle, fail) => {
      const deadline = setTimeout(() => {
        fail(new Error(`No answer in ${ANSWER_MS / 1000} seconds.`));
        this.#socket.close();
      }, ANSWER_MS);
      const end = (then) => (value) => {
        clearTimeout(deadline);
        then(value);
      };
      this.#waiting.push({ settle: end(settle), fail: end(fail) });
    });
  }
}
