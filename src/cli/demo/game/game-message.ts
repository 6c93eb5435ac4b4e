/** The JSON messages between the demo's game and its clients. */
import { cleanName, readObject } from '../json-object.ts';

export type FromClient =
  | { readonly type: 'hello'; readonly name: string }
  /** The direction of the arrow keys. */
  | { readonly type: 'steer'; readonly x: number; readonly y: number }
  /** The place of the pointer in the arena. */
  | { readonly type: 'go'; readonly x: number; readonly y: number };

export type ToClient =
  | {
      readonly type: 'welcome';
      /** The `id` of the client's own player. */
      readonly id: number;
      readonly endpoint: string;
      readonly width: number;
      readonly height: number;
      readonly playerRadius: number;
      readonly coinRadius: number;
      readonly goal: number;
    }
  /** All players and watchers, after a change. */
  | {
      readonly type: 'roster';
      readonly players: readonly { readonly id: number; readonly name: string; readonly endpoint: string }[];
      readonly watchers: number;
    }
  | {
      readonly type: 'state';
      /** Rounded places. */
      readonly players: readonly (readonly [id: number, x: number, y: number, score: number])[];
      readonly coins: readonly (readonly [id: number, x: number, y: number, value: number])[];
    }
  | { readonly type: 'won'; readonly id: number; readonly name: string }
  /** The client's player left the arena, because nobody steered it. */
  | { readonly type: 'idle' }
  | { readonly type: 'error' | 'notice'; readonly text: string };

/**
 * Parses a message of a client.
 *
 * @returns the message, or a sentence that tells the sender what is wrong
 */
export function readMessage(json: string): FromClient | string {
  const message = readObject(json);
  if (typeof message === 'string') return message;
  const { type, name, x, y } = message;
  if (type === 'hello') {
    const clean = typeof name === 'string' ? cleanName(name) : '';
    return clean === '' ? 'A hello has a name.' : { type, name: clean };
  }
  if (type === 'steer' || type === 'go') {
    return isNumber(x) && isNumber(y) ? { type, x, y } : `A ${type} has the numbers x and y.`;
  }
  return 'The type of a message is hello, steer or go.';
}

/** Excludes Infinity, which JSON.parse makes of 1e999. */
function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
