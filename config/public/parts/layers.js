import { element, showEndpoint, webSocketUrl } from '../shared/connection.js';

const PROTOCOL = 'sluice.inspect';
const ANSWER_MS = 10_000;
/** Set by the demo's routes, so that an app knows which route decided. */
const ROUTE_HEADER = 'x-demo-route';

/** Sends the same handshake to layer 4 and to layer 7, and shows both results. */
export async function startLayers() {
  const byId = (id) => document.getElementById(`layers-${id}`);
  const answer = await fetch('layers.json').catch(() => null);
  if (!answer?.headers.get('content-type')?.startsWith('application/json')) {
    byId('missing').hidden = false;
    return;
  }
  const { layer4 } = await answer.json();
  const path = byId('path');
  let latest = 0;

  async function compare() {
    const number = ++latest;
    const urls = { l4: targetUrl(path.value, String(layer4)), l7: targetUrl(path.value) };
    byId('results').hidden = false;
    byId('results').setAttribute('aria-busy', 'true');
    const outcomes = await Promise.all(Object.values(urls).map(handshake));
    const refusal = outcomes[1].seen === null ? await plainRequest(path.value) : null;
    // An earlier comparison may end after a later one.
    if (number !== latest) return;
    byId('results').setAttribute('aria-busy', 'false');
    const [l4, l7] = outcomes;
    showOutcome('l4', urls.l4, l4, null);
    showOutcome('l7', urls.l7, l7, refusal);
    const added = new Set(
      namesOf(l7.seen).filter((name) => l4.seen !== null && !namesOf(l4.seen).includes(name)),
    );
    showHeaders('l4', l4.seen, new Set());
    showHeaders('l7', l7.seen, added);
    byId('summary').textContent = summary(path.value, l4, l7, refusal, added.size);
  }

  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    compare();
  });
  for (const button of document.querySelectorAll('#layers-paths button')) {
    button.addEventListener('click', () => {
      path.value = button.textContent;
      compare();
    });
  }
  byId('send').disabled = false;
}

function showOutcome(layer, url, { seen, problem }, refusal) {
  const byId = (id) => document.getElementById(`${layer}-${id}`);
  byId('url').textContent = url.href;
  const outcome = byId('outcome');
  outcome.dataset.state = seen === null ? 'closed' : 'open';
  outcome.textContent =
    seen === null ? `No WebSocket: ${refusal === null ? problem : `status ${refusal.status}`}` : 'Reached';
  if (seen === null)
    byId('endpoint').replaceChildren(refusal === null ? 'nobody' : 'the proxy itself: no app was asked');
  else {
    const carrier = element('span', 'endpoint');
    showEndpoint(carrier, seen.endpoint);
    byId('endpoint').replaceChildren(carrier, ` (${seen.app})`);
  }
  byId('target').textContent = seen?.target ?? '–';
  const route = seen?.headers.find(([name]) => name === ROUTE_HEADER)?.[1] ?? refusal?.route;
  byId('route').textContent = route ?? (layer === 'l4' ? 'none: nothing is read' : '–');
}

/** Lists the headers that the app saw: first those that only layer 7's app saw, then the browser's. */
function showHeaders(layer, seen, added) {
  const byId = (id) => document.getElementById(`${layer}-${id}`);
  byId('seen').hidden = seen === null;
  const isAdded = ([name]) => added.has(name);
  const all = seen?.headers ?? [];
  const sent = all.filter((header) => !isAdded(header));
  byId('added').replaceChildren(...all.filter(isAdded).map(rowOf));
  byId('sent').replaceChildren(...sent.map(rowOf));
  byId('none').hidden = added.size > 0;
  byId('count').textContent = `${sent.length} headers from the browser`;
}

function rowOf([name, value]) {
  const row = element('tr');
  const head = element('th', '', name);
  head.scope = 'row';
  row.append(head, element('td', '', value));
  return row;
}

function summary(path, l4, l7, refusal, added) {
  const four =
    l4.seen === null ? 'Layer 4 has no connection.' : `Layer 4 reached the ${l4.seen.app}, as for any path.`;
  if (l7.seen !== null) {
    const headers = added === 1 ? 'one header' : `${added} headers`;
    return `${four} Layer 7 sent ${path} to the ${l7.seen.app} and added ${headers}.`;
  }
  const status = refusal === null ? 'refused it' : `answered ${refusal.status}`;
  return `${four} Layer 7 ${status}: no route for ${path} leads to an app.`;
}

function namesOf(seen) {
  return seen?.headers.map(([name]) => name) ?? [];
}

/** The address of a path beside this page, or on another port of the same host. */
function targetUrl(path, port = null) {
  const url = webSocketUrl('/');
  const [pathname, ...query] = path.split('?');
  url.pathname = pathname;
  url.search = query.join('?');
  if (port !== null) url.port = port;
  return url;
}

/** Opens a WebSocket. Resolves with what the app saw of the handshake, or with a problem. */
function handshake(url) {
  return new Promise((settle) => {
    const socket = new WebSocket(url, PROTOCOL);
    let seen = null;
    const deadline = setTimeout(() => {
      settle({ seen: null, problem: `no answer in ${ANSWER_MS / 1000} s` });
      socket.close();
    }, ANSWER_MS);
    socket.addEventListener('message', ({ data }) => (seen = JSON.parse(data)));
    socket.addEventListener('close', () => {
      clearTimeout(deadline);
      settle({ seen, problem: 'no connection' });
    });
  });
}

/** A browser hides the status of a refused handshake, so the same path is requested without one. */
async function plainRequest(path) {
  const url = targetUrl(path);
  url.protocol = location.protocol;
  const response = await fetch(url, { cache: 'no-store' }).catch(() => null);
  if (response === null) return null;
  await response.body?.cancel();
  return { status: response.status, route: response.headers.get(ROUTE_HEADER) };
}
