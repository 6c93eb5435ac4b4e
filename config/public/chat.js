import { describeClose, element, showEndpoint, showState, webSocketUrl } from './connection.js';
import { showEngine } from './engines.js';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const STEADY_MS = 5000;
const MAX_LINES = 300;
const NAMES = ['Otter', 'Heron', 'Beaver', 'Kingfisher', 'Newt', 'Pike', 'Dipper', 'Swan', 'Eel', 'Grebe'];

/** Joins the chat room, and joins it again whenever the connection ends. */
export function startChat() {
  const byId = (id) => document.getElementById(`chat-${id}`);
  const log = byId('log');
  const name = byId('name');
  const text = byId('text');
  const seen = new Set();
  const mine = new Set();
  let socket = null;
  let by = null;
  let failures = 0;
  let openedAt = 0;
  let retry = null;
  let countdown = null;

  name.value =
    remembered() ??
    `${NAMES[Math.floor(Math.random() * NAMES.length)]} ${1 + Math.floor(Math.random() * 99)}`;

  function connect() {
    clearTimeout(retry);
    clearInterval(countdown);
    retry = null;
    showState(byId('state'), 'waiting', 'Connecting');
    byId('reconnect').disabled = true;
    socket = new WebSocket(webSocketUrl('chat'));
    socket.addEventListener('open', opened);
    socket.addEventListener('message', (event) => received(JSON.parse(event.data)));
    socket.addEventListener('close', closed);
  }

  function opened() {
    openedAt = performance.now();
    showState(byId('state'), 'open', 'Connected');
    byId('closed').hidden = true;
    byId('send').disabled = false;
    // What was said before is shown, not read out.
    log.setAttribute('aria-live', 'off');
    sayHello();
  }

  function closed(event) {
    const close = describeClose(event);
    const hadOpened = openedAt !== 0;
    const what = hadOpened ? `Closed with ${close}.` : `No connection (${close}).`;
    if (hadOpened) addEvent(`Connection closed: ${close}`, true);
    // An end right after the beginning counts as a failure, lest a dying endpoint is called without a pause.
    if (hadOpened && performance.now() - openedAt > STEADY_MS) failures = 0;
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures++);
    const delay = ceiling * (0.5 + Math.random() / 2);
    openedAt = 0;
    byId('send').disabled = true;
    byId('present').textContent = '–';
    byId('endpoint').textContent = '–';
    showEngine('chat', undefined);
    delete byId('endpoint').dataset.hue;
    byId('closed').hidden = false;
    byId('reconnect').disabled = false;
    showState(byId('state'), 'closed', 'Disconnected');
    const until = performance.now() + delay;
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((until - performance.now()) / 1000));
      byId('closed-text').textContent = `${what} Next try in ${seconds} s.`;
    };
    tick();
    countdown = setInterval(tick, 1000);
    retry = setTimeout(connect, delay);
  }

  function received(message) {
    switch (message.type) {
      case 'welcome':
        by = message.by;
        mine.add(by);
        showEndpoint(byId('endpoint'), message.endpoint);
        showEngine('chat', message.engine);
        byId('present').textContent = message.present;
        break;
      case 'said':
        if (!seen.has(message.id)) addSaid(message);
        seen.add(message.id);
        break;
      case 'joined':
        byId('present').textContent = message.present;
        if (message.by === by) log.setAttribute('aria-live', 'polite');
        addEvent(`${message.by === by ? `You are here as ${message.name}` : `${message.name} joined`}`);
        break;
      case 'renamed':
        byId('present').textContent = message.present;
        addEvent(`${message.from} is ${message.name} now`);
        break;
      case 'left':
        byId('present').textContent = message.present;
        addEvent(`${message.name} left`);
        break;
      case 'error':
      case 'notice':
        addEvent(message.text, true);
        break;
    }
  }

  function sayHello() {
    const wanted = name.value.trim();
    if (wanted === '' || socket.readyState !== WebSocket.OPEN) return;
    remember(wanted);
    socket.send(JSON.stringify({ type: 'hello', name: wanted }));
  }

  function addSaid({ by, from, endpoint, text, at }) {
    const line = element('li', mine.has(by) ? 'said mine' : 'said');
    const head = element('div', 'by');
    const who = element('b', '', from);
    const carrier = element('span', 'endpoint');
    showEndpoint(carrier, endpoint);
    carrier.title = 'the endpoint that carries the sender';
    const time = element(
      'time',
      '',
      new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
    );
    time.dateTime = new Date(at).toISOString();
    head.append(who, carrier, time);
    const body = element('div', 'text', text);
    who.dir = body.dir = 'auto';
    line.append(head, body);
    add(line, mine.has(by));
  }

  function addEvent(words, bad = false) {
    add(element('li', bad ? 'event bad' : 'event', words), false);
  }

  /** Scrolls to the end, unless the reader has scrolled up to read. */
  function add(line, always) {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    log.append(line);
    while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
    if (always || atEnd) log.scrollTop = log.scrollHeight;
  }

  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (words === '' || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: 'say', text: words }));
    text.value = '';
    text.focus();
  });
  name.addEventListener('change', sayHello);
  byId('reconnect').addEventListener('click', connect);
  addEventListener('online', () => {
    if (retry !== null) connect();
  });
  connect();
}

/** The name for this tab; two tabs are two people. */
function remembered() {
  try {
    return sessionStorage.getItem('sluice-demo-name');
  } catch {
    return null;
  }
}

function remember(name) {
  try {
    sessionStorage.setItem('sluice-demo-name', name);
  } catch {
    // Storage may be forbidden; then the name lasts as long as the page.
  }
}
