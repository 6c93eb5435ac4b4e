import { Connection, element, showEndpoint, showNoEndpoint } from '../shared/connection.js';
import { FeedChart } from './feed-chart.js';

const PING_MS = 2000;

/** Shows prices as they are pushed, a chart of the last minute, and the quality of the connection. */
export function startFeed() {
  const byId = (id) => document.getElementById(`feed-${id}`);
  let chart = null;
  let tiles = [];
  let last = null;
  let missed = 0;
  let pings = 0;
  const sentAt = new Map();

  const connection = new Connection('feed', byId('state'), { opened: ping, message, closed });

  function message(message) {
    switch (message.type) {
      case 'welcome':
        showEndpoint(byId('endpoint'), message.endpoint);
        makeTiles(message.goods);
        chart = new FeedChart(byId('chart'), byId('scale'), message.goods.length, message.history.length);
        last = message.history.at(-1)?.number ?? null;
        for (const tick of message.history) chart.add(tick.prices);
        show(message.history.at(-1));
        break;
      case 'tick':
        if (last !== null) missed += message.number - last - 1;
        last = message.number;
        byId('missed').textContent = missed;
        byId('subscribers').textContent = message.subscribers;
        chart.add(message.prices);
        show(message);
        break;
      case 'pong':
        if (sentAt.has(message.id)) {
          byId('latency').textContent = `${(performance.now() - sentAt.get(message.id)).toFixed(1)} ms`;
        }
        sentAt.clear();
        break;
    }
  }

  function closed() {
    last = null;
    sentAt.clear();
    for (const id of ['latency', 'subscribers']) byId(id).textContent = '–';
    showNoEndpoint(byId('endpoint'));
  }

  function makeTiles(goods) {
    tiles = goods.map((good, index) => {
      const tile = element('li');
      tile.dataset.hue = String(index);
      const price = element('b', 'price');
      const change = element('span', 'change');
      tile.append(element('span', 'good', good), price, change);
      return { tile, price, change };
    });
    byId('prices').replaceChildren(...tiles.map(({ tile }) => tile));
  }

  function show(tick) {
    if (tick === undefined) return;
    const changes = chart.draw();
    for (const [index, { price, change }] of tiles.entries()) {
      price.textContent = (tick.prices[index] / 100).toFixed(2);
      change.textContent = signed(changes[index]);
      change.dataset.trend = changes[index] < 0 ? 'down' : 'up';
    }
  }

  function ping() {
    const id = ++pings;
    sentAt.set(id, performance.now());
    connection.send({ type: 'ping', id });
  }

  setInterval(() => {
    if (connection.isOpen) ping();
  }, PING_MS);
}

/** `+1.25 %`, with a real minus. */
function signed(change) {
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(2)} %`;
}
