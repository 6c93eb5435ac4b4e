/** The engines of the proxy: which one this page and its sockets came through, and the way to the other. */

const NAMES = new Map([
  ['uws', 'uWebSockets.js'],
  ['auto', 'our own engine'],
]);

/** Shows the engine that a socket went through, as its endpoint has heard it from the proxy. */
export function showEngine(part, engine) {
  document.getElementById(`${part}-through`).hidden = engine === undefined;
  document.getElementById(`${part}-engine`).textContent = NAMES.get(engine) ?? engine ?? '';
}

/** Links this page at each engine. A proxy without a list of engines shows none. */
export async function offerEngines() {
  const answer = await fetch('engines.json').catch(() => null);
  if (!answer?.headers.get('content-type')?.startsWith('application/json')) return;
  const { here, ...ports } = await answer.json();
  for (const [engine, port] of Object.entries(ports)) {
    const link = document.getElementById(`engine-${engine}`);
    const url = new URL(location.href);
    url.port = String(port);
    link.href = url.href;
    if (engine === here) link.setAttribute('aria-current', 'page');
  }
  document.getElementById('engines').hidden = false;
}
