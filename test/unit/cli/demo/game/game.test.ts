import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Game } from '../../../../../src/cli/demo/game/game.ts';
import { readMessage } from '../../../../../src/cli/demo/game/game-message.ts';
import { FakeWebSocket } from '../../../../support/websocket/fake-web-socket.ts';

interface Message {
  readonly type: string;
  readonly players?: readonly unknown[];
  readonly watchers?: number;
}

function join(game: Game): FakeWebSocket {
  const socket = new FakeWebSocket();
  game.connect(socket.asWebSocket(), { endpoint: '127.0.0.1:1' });
  return socket;
}

function messages({ sent }: FakeWebSocket, type: string): Message[] {
  return sent.map((json) => JSON.parse(json) as Message).filter((message) => message.type === type);
}

const GO = '{"type":"go","x":500,"y":300}';

describe('the game', () => {
  let now = 0;

  beforeEach(() => {
    now = 0;
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    mock.method(performance, 'now', () => now);
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  it('sends the state 20 times a second to all while somebody plays, and not otherwise', () => {
    const game = new Game();
    const [player, watcher] = [join(game), join(game)];
    mock.timers.tick(1000);
    assert.equal(messages(watcher, 'state').length, 1);
    player.receive(GO);
    mock.timers.tick(1000);
    assert.equal(messages(watcher, 'state').length, 21);
    player.emit('close');
    assert.equal(messages(watcher, 'state').length, 22);
    assert.deepEqual(messages(watcher, 'state').at(-1)?.players, []);
    mock.timers.tick(1000);
    assert.equal(messages(watcher, 'state').length, 22);
  });

  it('announces changes of the roster together', () => {
    const game = new Game();
    const [ada, bob] = [join(game), join(game)];
    for (const player of [ada, bob]) {
      player.receive('{"type":"hello","name":"<i>Ada</i>"}');
      player.receive(GO);
    }
    assert.deepEqual(messages(ada, 'roster'), []);
    mock.timers.tick(100);
    const names = ['1', '2'].map((id) => ({ id: Number(id), name: '<i>Ada</i>', endpoint: '127.0.0.1:1' }));
    assert.deepEqual(messages(ada, 'roster'), [{ type: 'roster', players: names, watchers: 0 }]);
  });

  it('admits 32 players and 200 clients', () => {
    const game = new Game();
    const clients = Array.from({ length: 200 }, () => join(game));
    assert.equal(join(game).ended, '1013 the game is full');
    for (const client of clients.slice(0, 33)) client.receive(GO);
    assert.match(clients[32]!.sent.at(-1)!, /The arena is full: 32 play now/);
    mock.timers.tick(100);
    const [roster] = messages(clients[0]!, 'roster');
    assert.deepEqual([roster?.players?.length, roster?.watchers], [32, 168]);
    clients[0]!.emit('close');
    clients[32]!.receive(GO);
    mock.timers.tick(100);
    assert.equal(messages(clients[1]!, 'roster').at(-1)?.players?.length, 32);
    assert.equal(join(game).ended, null);
  });

  it('takes a player out who has not steered for a minute, and lets it come back', () => {
    const game = new Game();
    const player = join(game);
    player.receive(GO);
    now = 60_000;
    mock.timers.tick(50);
    assert.deepEqual(messages(player, 'idle'), []);
    now = 60_001;
    mock.timers.tick(50);
    assert.deepEqual(messages(player, 'idle'), [{ type: 'idle' }]);
    assert.equal(player.ended, null);
    player.receive(GO);
    mock.timers.tick(100);
    assert.equal(messages(player, 'roster').at(-1)?.players?.length, 1);
  });
});

describe('a message of the game', () => {
  it('is parsed, or refused with a sentence', () => {
    assert.deepEqual(readMessage('{"type":"hello","name":" Ada\\u0000 "}'), { type: 'hello', name: 'Ada' });
    assert.deepEqual(readMessage('{"type":"steer","x":1,"y":-0.5,"z":7}'), { type: 'steer', x: 1, y: -0.5 });
    const wrong: [string, RegExp][] = [
      ['{', /not JSON/],
      ['[]', /hello, steer or go/],
      ['{"type":"constructor"}', /hello, steer or go/],
      ['{"type":"hello","name":7}', /has a name/],
      ['{"type":"hello","name":"\\u200b"}', /has a name/],
      ['{"type":"steer","x":"1","y":0}', /A steer has the numbers x and y/],
      ['{"type":"go","x":1e999,"y":0}', /A go has the numbers x and y/],
      ['{"type":"go","x":1}', /numbers x and y/],
    ];
    for (const [json, expected] of wrong) {
      const sentence = readMessage(json);
      assert.ok(typeof sentence === 'string' && expected.test(sentence), json);
    }
  });
});
