import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Feed } from '../../../../../src/cli/demo/feed/feed.ts';
import { Prices } from '../../../../../src/cli/demo/feed/prices.ts';
import { FakeWebSocket } from '../../../../support/websocket/fake-web-socket.ts';

interface Tick {
  readonly type: string;
  readonly number: number;
  readonly at: number;
  readonly history?: readonly Tick[];
}

function subscribe(feed: Feed): FakeWebSocket {
  const socket = new FakeWebSocket();
  feed.connect(socket.asWebSocket(), { endpoint: '127.0.0.1:1' });
  return socket;
}

function messages({ sent }: FakeWebSocket, type: string): Tick[] {
  return sent.map((json) => JSON.parse(json) as Tick).filter((message) => message.type === type);
}

describe('the feed', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 }));
  afterEach(() => mock.timers.reset());

  it('pushes the same ticks to all, with consecutive numbers after those of the history', () => {
    const feed = new Feed();
    const [early, late] = [subscribe(feed), new FakeWebSocket()];
    mock.timers.tick(1000);
    feed.connect(late.asWebSocket(), { endpoint: '127.0.0.1:2' });
    mock.timers.tick(500);
    assert.deepEqual(messages(early, 'tick').slice(-2), messages(late, 'tick'));
    const { history = [] } = messages(late, 'welcome')[0]!;
    assert.equal(history.length, 240);
    const numbers = [...history, ...messages(late, 'tick')].map(({ number }) => number);
    for (const [index, number] of numbers.entries()) assert.equal(number, numbers[0]! + index);
    assert.equal(history.at(-1)!.at, 1_001_000);
  });

  it('makes up for the time without subscribers, at most a minute, and does not tick in it', () => {
    const feed = new Feed();
    const first = subscribe(feed);
    const { number: before } = messages(first, 'welcome')[0]!.history!.at(-1)!;
    first.emit('close');
    mock.timers.tick(10_000);
    const { history = [] } = messages(subscribe(feed), 'welcome')[0]!;
    assert.equal(history.at(-1)!.number, before + 40);
    assert.deepEqual(
      history.slice(-3).map(({ at }) => at),
      [1_009_500, 1_009_750, 1_010_000],
    );
  });

  it('answers a ping with its id, and refuses everything else', () => {
    const subscriber = subscribe(new Feed());
    const answerTo = (text: string): unknown => {
      subscriber.receive(text);
      return JSON.parse(subscriber.sent.at(-1)!);
    };
    assert.deepEqual(answerTo('{"type":"ping","id":7}'), { type: 'pong', id: 7 });
    for (const wrong of ['{', '7', '{"type":"ping","id":"7"}', '{"type":"buy"}']) {
      assert.equal((answerTo(wrong) as Tick).type, 'error', wrong);
    }
    subscriber.emit('close');
  });

  it('admits 1000 subscribers', () => {
    const feed = new Feed();
    const subscribers = Array.from({ length: 1000 }, () => subscribe(feed));
    assert.equal(subscribe(feed).ended, '1013 the feed has too many subscribers');
    subscribers[0]!.emit('close');
    assert.equal(subscribe(feed).ended, null);
  });
});

describe('simulated prices', () => {
  it('move by less than 5 % in a step, and stay near their usual price', () => {
    const usualPrice = 10_000;
    const prices = new Prices([{ name: 'a', usualPrice }]);
    let last = usualPrice;
    for (let step = 0; step < 5000; step++) {
      const [price = 0] = prices.step();
      assert.ok(Math.abs(price / last - 1) < 0.05, `${last} to ${price}`);
      assert.ok(price > usualPrice / 2 && price < usualPrice * 2, String(price));
      last = price;
    }
  });

  it('are finite, whatever the random numbers are', () => {
    for (const random of [0, 1]) {
      const prices = new Prices([{ name: 'a', usualPrice: 100 }], () => random);
      for (let step = 0; step < 10_000; step++) assert.ok(prices.step()[0]! <= 400);
    }
  });
});
