import { Connection, element, showEndpoint, showNoEndpoint } from '../shared/connection.js';
import { currentName, onRename } from '../shared/identity.js';

const MAX_LINES = 300;

/** Joins the chat room, and joins it again whenever the connection ends. */
export function startChat() {
  const byId = (id) => document.getElementById(`chat-${id}`);
  const log = byId('log');
  const text = byId('text');
  const seen = new Set();
  const mine = new Set();
  let by = null;
  let countdown = null;

  const connection = new Connection('chat', byId('state'), { opened, message, closed });

  function opened() {
    clearInterval(countdown);
    byId('closed').hidden = true;
    byId('send').disabled = false;
    // A screen reader does not read the earlier messages out.
    log.setAttribute('aria-live', 'off');
    sayHello();
  }

  function closed({ close, hadOpened, delayMs }) {
    if (hadOpened) addEvent(`Connection closed: ${close}`, true);
    byId('send').disabled = true;
    byId('present').textContent = '–';
    showNoEndpoint(byId('endpoint'));
    byId('closed').hidden = false;
    const what = hadOpened ? `Closed with ${close}.` : `No connection (${close}).`;
    const until = performance.now() + delayMs;
    const tick = () => {
      const seconds = Math.max(1, Math.ceil((until - performance.now()) / 1000));
      byId('closed-text').textContent = `${what} Next try in ${seconds} s.`;
    };
    tick();
    clearInterval(countdown);
    countdown = setInterval(tick, 1000);
  }

  function message(message) {
    if (message.present !== undefined) byId('present').textContent = message.present;
    switch (message.type) {
      case 'welcome':
        by = message.by;
        mine.add(by);
        showEndpoint(byId('endpoint'), message.endpoint);
        break;
      case 'said':
        if (!seen.has(message.id)) addSaid(message);
        seen.add(message.id);
        break;
      case 'joined':
        if (message.by === by) log.setAttribute('aria-live', 'polite');
        addEvent(`${message.by === by ? `You are here as ${message.name}` : `${message.name} joined`}`);
        break;
      case 'renamed':
        addEvent(`${message.from} is ${message.name} now`);
        break;
      case 'left':
        addEvent(`${message.name} left`);
        break;
      case 'error':
      case 'notice':
        addEvent(message.text, true);
        break;
    }
  }

  function sayHello() {
    if (currentName() !== '') connection.send({ type: 'hello', name: currentName() });
  }

  function addSaid({ by, from, endpoint, text, at }) {
    const line = element('div', mine.has(by) ? 'said mine' : 'said');
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
    add(element('div', bad ? 'event bad' : 'event', words), false);
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
    if (words === '' || !connection.isOpen) return;
    connection.send({ type: 'say', text: words });
    text.value = '';
    text.focus();
  });
  onRename(sayHello);
  byId('reconnect').addEventListener('click', () => connection.connect());
}
