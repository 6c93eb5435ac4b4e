import { Connection, element, showEndpoint, showNoEndpoint } from '../shared/connection.js';
import { currentName, onRename } from '../shared/identity.js';
import { steerByKeys, steerByPointer } from './game-input.js';
import { GameView } from './game-view.js';

const HUES = 6;

/** Shows the arena, sends where the visitor wants to go, and lists the scores. */
export function startGame() {
  const byId = (id) => document.getElementById(`game-${id}`);
  const arena = byId('arena');
  const view = new GameView(arena);
  /** Name and endpoint of each player. */
  let roster = new Map();
  let scores = '';
  let own = null;

  const connection = new Connection('game', byId('state'), { opened: sayHello, message, closed });

  function message(message) {
    switch (message.type) {
      case 'welcome':
        own = message.id;
        showEndpoint(byId('endpoint'), message.endpoint);
        byId('goal').textContent = message.goal;
        view.prepare(message, (id) => roster.get(id)?.name ?? '');
        break;
      case 'roster':
        roster = new Map(message.players.map((player) => [player.id, player]));
        byId('players').textContent = roster.size;
        byId('watchers').textContent = message.watchers;
        scores = '';
        break;
      case 'state':
        view.show(message);
        showScores(message.players);
        byId('invitation').hidden = message.players.some(([id]) => id === own);
        break;
      case 'won':
        byId('news').textContent =
          message.id === own ? 'You win the round!' : `${message.name} wins the round.`;
        break;
      case 'idle':
        byId('news').textContent = 'You left the arena, because you did not move for a minute.';
        break;
      case 'error':
      case 'notice':
        byId('news').textContent = message.text;
        break;
    }
  }

  function closed() {
    for (const id of ['players', 'watchers']) byId(id).textContent = '–';
    showNoEndpoint(byId('endpoint'));
    byId('scores').replaceChildren();
    byId('invitation').hidden = false;
    scores = '';
    view.show({ players: [], coins: [] });
  }

  /** Lists players by score. The list changes only if a score or the roster does. */
  function showScores(players) {
    const sorted = [...players].sort(([, , , a], [, , , b]) => b - a);
    const key = sorted.map(([id, , , score]) => `${id} ${score}`).join();
    if (key === scores) return;
    scores = key;
    byId('scores').replaceChildren(
      ...sorted.map(([id, , , score]) => {
        const line = element('li', id === own ? 'own' : '');
        const { name = '', endpoint = '' } = roster.get(id) ?? {};
        const who = element('b', '', name);
        const carrier = element('span', 'endpoint');
        line.dataset.player = String(id % HUES);
        who.dir = 'auto';
        showEndpoint(carrier, endpoint);
        line.append(who, carrier, element('span', 'score', score));
        return line;
      }),
    );
  }

  function sayHello() {
    if (currentName() !== '') connection.send({ type: 'hello', name: currentName() });
  }

  steerByKeys(arena, (x, y) => connection.send({ type: 'steer', x, y }));
  steerByPointer(arena, (x, y) => connection.send({ type: 'go', ...view.placeAt(x, y) }));
  onRename(sayHello);
}
